// The records of an HTTP body: a JSON object, an array of objects, or JSON lines.
//
// Only the body's own structure is looked at; what is wrong inside a record is the decoder's
// business, so that one bad record costs itself and not its neighbours. Views point into the body.
// Thread-safety: none (a parser is kept). Cost: one pass over the body and a copy of it.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace driftd::ingest {

enum class BodyForm {
  kDocument,  // one JSON document: application/json, also with a +json suffix
  kLines,     // application/x-ndjson, application/jsonl, application/json-lines, text/plain
  kGuess,     // none, application/octet-stream, application/x-www-form-urlencoded (what curl -d
              // says of anything): '[' starts a document; else the body is one object, however
              // many lines it has, or, when it is not, lines
};
// nullopt: a content type that holds no records. Parameters (charset) are left out of account.
std::optional<BodyForm> body_form(std::string_view content_type);

class JsonBody {
 public:
  JsonBody();
  ~JsonBody();
  // Error{kInvalidArgument}: the body is not the JSON it says; with what and where.
  Result<std::vector<std::string_view>> split(std::string_view body, BodyForm form);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace driftd::ingest
