#include "core/secret.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "core/text.h"

namespace driftd {
namespace {

constexpr std::string_view kCredential = "credential:";

}  // namespace

bool is_credential(std::string_view path) { return path.starts_with(kCredential); }

Result<std::string> secret_file(const std::string& path) {
  if (!is_credential(path)) return path;
  const std::string name = path.substr(kCredential.size());
  if (name.empty() || name.find('/') != std::string::npos || name == "." || name == "..") {
    return Error{ErrorCode::kInvalidArgument, "'" + excerpt(path) + "': a credential's name has no slash"};
  }
  const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr || *folder == '\0') {
    return Error{ErrorCode::kNotFound, "'" + excerpt(path) + "': systemd gave no credentials; add LoadCredential=" + excerpt(name) +
                                           ":/path to the unit, or name a file"};
  }
  return std::string(folder) + "/" + name;
}

Result<std::string> read_secret(const std::string& path) {
  auto found = secret_file(path);
  if (!found) return found.error();
  std::ifstream file(*found);
  std::string line;
  if (!file) return Error{ErrorCode::kNotFound, "the secret file '" + excerpt(path) + "' cannot be read"};
  std::getline(file, line);
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty()) return Error{ErrorCode::kNotFound, "the first line of the secret file '" + excerpt(path) + "' is empty"};
  return line;
}

Status try_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (file && file.peek() != std::ifstream::traits_type::eof()) return {};
  const std::string why = errno != 0 ? std::strerror(errno) : "it is empty";
  return Error{ErrorCode::kNotFound, "'" + excerpt(path) + "' cannot be read: " + why};
}

}  // namespace driftd
