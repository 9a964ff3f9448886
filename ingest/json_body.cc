#include "ingest/json_body.h"

#include <simdjson.h>

#include <algorithm>
#include <array>

#include "ingest/json_token.h"

namespace driftd::ingest {
namespace {

namespace od = simdjson::ondemand;

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

Error bad(const std::string& why) { return {ErrorCode::kInvalidArgument, "the body is not a JSON object or array: " + why}; }

constexpr std::size_t kKept = 1 << 20;  // bytes of a body whose parser is kept for the next one

Error too_many() {
  const std::string most = std::to_string(kMaxBodyRecords);
  return {ErrorCode::kExhausted, "the body has more than " + most + " records; send them in bodies of " + most + " or less"};
}

Result<std::vector<std::string_view>> lines_of(std::string_view body) {
  std::vector<std::string_view> out;
  while (!body.empty()) {
    const std::size_t end = std::min(body.find('\n'), body.size());
    std::string_view line = body.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!is_blank(line)) {
      if (out.size() == kMaxBodyRecords) return too_many();
      out.push_back(line);
    }
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return out;
}

}  // namespace

struct JsonBody::Parser {
  od::parser parser;
  std::string padded;

  // The same text in the body as `part` is in the padded copy.
  std::string_view in_body(std::string_view body, std::string_view part) const {
    return trimmed(body.substr(static_cast<std::size_t>(part.data() - padded.data()), part.size()));
  }

  simdjson::error_code raw(od::value& value, std::string_view& out) {
    const char first = value.raw_json_token().front();
    if (first == '{') {
      od::object object;
      if (const auto e = value.get_object().get(object)) return e;
      return object.raw_json().get(out);
    }
    if (first == '[') {
      od::array array;
      if (const auto e = value.get_array().get(array)) return e;
      return array.raw_json().get(out);
    }
    out = trimmed(value.raw_json_token());
    return simdjson::SUCCESS;
  }

  // CAPACITY: an array of more than kMaxBodyRecords.
  simdjson::error_code document(std::string_view body, std::vector<std::string_view>& out) {
    padded.assign(body);
    padded.append(simdjson::SIMDJSON_PADDING, ' ');
    od::document json;
    if (const auto e = parser.iterate(padded.data(), body.size(), padded.size()).get(json)) return e;
    od::json_type type;
    if (const auto e = json.type().get(type)) return e;
    if (type == od::json_type::object) {
      od::object object;
      std::string_view text;
      if (const auto e = json.get_object().get(object)) return e;
      if (const auto e = object.raw_json().get(text)) return e;
      out.push_back(in_body(body, text));
    } else if (type == od::json_type::array) {
      od::array array;
      if (const auto e = json.get_array().get(array)) return e;
      for (auto element : array) {
        od::value value;
        std::string_view text;
        // NOLINTNEXTLINE(performance-move-const-arg): get() takes an rvalue only
        if (const auto e = std::move(element).get(value)) return e;
        if (const auto e = raw(value, text)) return e;
        if (out.size() == kMaxBodyRecords) return simdjson::CAPACITY;
        out.push_back(in_body(body, text));
      }
    } else {
      return simdjson::INCORRECT_TYPE;
    }
    return json.current_location().error() == simdjson::OUT_OF_BOUNDS ? simdjson::SUCCESS : simdjson::TRAILING_CONTENT;
  }
};

std::optional<BodyForm> body_form(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  while (type.ends_with(' ')) type.pop_back();
  std::transform(type.begin(), type.end(), type.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (type.empty() || type == "application/octet-stream" || type == "application/x-www-form-urlencoded") return BodyForm::kGuess;
  // An envelope is no record: the sensor and the fields stand below its `data`.
  if (type.starts_with("application/cloudevents")) return std::nullopt;
  if (type == "application/json" || type.ends_with("+json")) return BodyForm::kDocument;
  static constexpr std::array<std::string_view, 5> kLines = {"application/x-ndjson", "application/ndjson", "application/jsonl",
                                                             "application/json-lines", "text/plain"};
  if (std::find(kLines.begin(), kLines.end(), type) != kLines.end()) return BodyForm::kLines;
  return std::nullopt;
}

JsonBody::JsonBody() : parser_(std::make_unique<Parser>()) {}
JsonBody::~JsonBody() = default;

Result<std::vector<std::string_view>> JsonBody::split(std::string_view body, BodyForm form) {
  auto records = parts(body, form);
  if (body.size() > kKept) parser_ = std::make_unique<Parser>();
  return records;
}

Result<std::vector<std::string_view>> JsonBody::parts(std::string_view body, BodyForm form) {
  if (is_blank(body)) return bad("it is empty");
  if (form == BodyForm::kGuess) {
    const char first = body[body.find_first_not_of(" \t\r\n")];
    form = first == '[' ? BodyForm::kDocument : BodyForm::kLines;
    std::vector<std::string_view> whole;  // an object may be written over several lines
    if (first == '{' && parser_->document(body, whole) == simdjson::SUCCESS) return whole;
  }
  if (form == BodyForm::kLines) return lines_of(body);
  std::vector<std::string_view> out;
  const auto e = parser_->document(body, out);
  if (e == simdjson::CAPACITY) return too_many();
  if (e) return bad(simdjson::error_message(e));
  return out;
}

}  // namespace driftd::ingest
