#include "core/secret.h"

#include <fstream>

#include "core/text.h"

namespace driftd {

Result<std::string> read_secret(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!file)
    return Error{ErrorCode::kNotFound, "the secret file '" + excerpt(path) + "' cannot be read"};
  std::getline(file, line);
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty())
    return Error{ErrorCode::kNotFound,
                 "the first line of the secret file '" + excerpt(path) + "' is empty"};
  return line;
}

}  // namespace driftd
