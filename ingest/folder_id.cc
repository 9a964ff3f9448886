#include "ingest/folder_id.h"

#include <fstream>
#include <random>

#include "core/files.h"
#include "core/hash.h"

namespace driftd::ingest {

Result<std::string> folder_id(const std::string& folder) {
  const std::string path = folder + "/folder.id";
  std::string id;
  std::ifstream(path) >> id;
  const bool whole = id.size() == 16 && id.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!whole) {
    std::random_device random;
    id = hex64((static_cast<std::uint64_t>(random()) << 32) | random());
    if (const Status s = replace_file(path, id + "\n"); !s) {
      return Error{ErrorCode::kIo, s.error().message + "; is the disk full or read-only?"};
    }
  }
  return id;
}

}  // namespace driftd::ingest
