#include "app/commands/quarantine_sent.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <utility>

#include "core/files.h"
#include "core/hash.h"

namespace driftd::app {
namespace {

constexpr std::size_t kDigits = 16;

std::string line_of(std::uint64_t identity) { return hex64(identity) + "\n"; }

Error unwritable(const Error& why) {
  return {why.code, "what is sent cannot be noted, and would be sent again: " + why.message + "; run this as who may write there"};
}

}  // namespace

Result<SentRecords> SentRecords::open(const std::string& folder, const std::string& destination) {
  const int lock = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock < 0 && errno != ENOENT) return Error{ErrorCode::kIo, "opening " + folder + ": " + std::strerror(errno)};
  SentRecords made(lock, folder + "/sent-" + hex64(hash64(destination)) + ".txt", destination);
  if (lock >= 0 && ::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    return Error{ErrorCode::kUnavailable, "another `driftd quarantine replay --to` sends from " + folder + "; wait for its end"};
  }
  std::ifstream file(made.path_);
  std::string line;
  std::getline(file, line);  // the destination, for people
  while (std::getline(file, line)) {
    std::uint64_t identity = 0;
    const char* end = line.data() + line.size();
    // One that a kill tore is left out.
    if (line.size() == kDigits && std::from_chars(line.data(), end, identity, 16).ptr == end) made.sent_.insert(identity);
  }
  return made;
}

SentRecords::SentRecords(SentRecords&& other) noexcept
    : lock_(std::exchange(other.lock_, -1)),
      path_(std::move(other.path_)),
      destination_(std::move(other.destination_)),
      sent_(std::move(other.sent_)) {}

SentRecords::~SentRecords() {
  if (lock_ >= 0) ::close(lock_);
}

Status SentRecords::keep_only(const std::unordered_set<std::uint64_t>& identities) {
  std::erase_if(sent_, [&](std::uint64_t identity) { return identities.count(identity) == 0; });
  std::string text = destination_ + "\n";
  for (const std::uint64_t identity : sent_) text += line_of(identity);
  const Status done = replace_file(path_, text);
  return done ? done : unwritable(done.error());
}

Status SentRecords::note(const std::vector<std::uint64_t>& identities) {
  std::string text;
  for (const std::uint64_t identity : identities) text += line_of(identity);
  sent_.insert(identities.begin(), identities.end());
  const Status done = append_to_file(path_, text);
  return done ? done : unwritable(done.error());
}

}  // namespace driftd::app
