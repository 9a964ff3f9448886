// HttpIntake: what the HTTP API hands records to; the http source is one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace driftd::ingest {

struct IntakeResult {
  int status = 200;            // 200 after the journal has it; 400, 413, 415, 429, 503
  std::uint64_t accepted = 0;  // records journaled
  unsigned retry_after = 0;    // seconds; 429
  std::string message;         // what is wrong, for people
};

class HttpIntake {
 public:
  virtual ~HttpIntake() = default;
  // A JSON object, an array of objects or JSON lines. All of the body's records are journaled or none.
  // Thread-safe; blocks for the disk, never for a reader.
  virtual IntakeResult submit(std::string_view body, std::string_view content_type) = 0;
};

}  // namespace driftd::ingest
