// Rows of the outbox: columns as ByteWriter writes them. What is believed is written the same, and is fit to be sent.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "alerts/cloud_event.h"
#include "alerts/outbox_row.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace driftd;
  ByteReader in(fuzz::text_of(data, size));
  alerts::OutboxColumns columns;
  for (std::string* text : {&columns.id, &columns.receiver, &columns.type, &columns.group_key}) *text = in.str();
  for (std::int64_t* n : {&columns.created_at, &columns.attempts, &columns.next_attempt_at, &columns.state}) *n = in.i64();
  columns.detail = in.str();
  columns.body = in.str();
  if (in.failed()) return 0;
  const std::string body = columns.body;
  const auto row = alerts::row_of(std::move(columns));
  if (!row) {
    FUZZ_CHECK(row.error().code == ErrorCode::kCorrupt && !row.error().message.empty(), "an error that says nothing");
    return 0;
  }
  const alerts::Message& message = row->message;
  FUZZ_CHECK(alerts::encode_body(message) == body, "what was read is not what would be written");
  FUZZ_CHECK(message.attempt >= 1 && message.created_at >= 0 && row->next_attempt_at >= 0, message.id);
  FUZZ_CHECK(std::all_of(message.id.begin(), message.id.end(), [](char c) { return c > ' ' && c != '.'; }), message.id);
  FUZZ_CHECK(alerts::to_string(row->state) != nullptr, message.id);
  FUZZ_CHECK(nlohmann::json::accept(alerts::cloud_event(message, "urn:driftd", "")), alerts::cloud_event(message, "urn:driftd", ""));
  return 0;
}
