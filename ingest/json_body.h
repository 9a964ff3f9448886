// The records of an HTTP body: a JSON object, an array of objects, or JSON lines.
//
// Only the body's own structure is looked at; what is wrong inside a record is the decoder's
// business, so that one bad record costs itself and not its neighbours. Views point into the body.
// Thread-safety: none (a parser is kept). Cost: one pass over the body and a copy of it; 6 bytes for each of a
// JSON document's meanwhile, and 16 a record.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace driftd::ingest {

enum class BodyForm {
  kDocument,  // one JSON document: application/json, also with a +json suffix, but no CloudEvents
  kLines,     // application/x-ndjson, application/ndjson, application/jsonl, application/json-lines, text/plain
  kGuess,     // none, application/octet-stream, application/x-www-form-urlencoded (what curl -d
              // says of anything): '[' starts a document; else the body is one object, however
              // many lines it has, or, when it is not, lines
};
// nullopt: a content type that holds no records. Parameters (charset) are left out of account.
std::optional<BodyForm> body_form(std::string_view content_type);

// Records of one body. A record costs driftd some 110 bytes beside its own until it is journaled, so that
// a body of many tiny ones would need many times its size.
inline constexpr std::size_t kMaxBodyRecords = 100'000;

class JsonBody {
 public:
  JsonBody();
  ~JsonBody();
  // Error{kInvalidArgument}: the body is not the JSON it says; with what and where. Error{kExhausted}: it has
  // more than kMaxBodyRecords (what stands behind them is not looked at).
  Result<std::vector<std::string_view>> split(std::string_view body, BodyForm form);

 private:
  Result<std::vector<std::string_view>> parts(std::string_view body, BodyForm form);

  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace driftd::ingest
