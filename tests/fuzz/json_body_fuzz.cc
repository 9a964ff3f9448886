// Bodies of HTTP requests: a byte for the content type, then the body. Records are parts of the body.
#include "ingest/json_body.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace driftd;
  std::string_view input = fuzz::text_of(data, size);
  const std::uint8_t form = fuzz::take_byte(input);
  if (form % 4 == 3) {
    ingest::body_form(input);
    return 0;
  }
  ingest::JsonBody body;
  const auto records = body.split(input, static_cast<ingest::BodyForm>(form % 4));
  if (!records) {
    FUZZ_CHECK(!records.error().message.empty(), "an error that says nothing");
    return 0;
  }
  const char* end = input.data();
  for (const std::string_view record : *records) {
    FUZZ_CHECK(record.data() >= end && record.data() + record.size() <= input.data() + input.size(),
               "a record is not a part of the body, in order");
    end = record.data() + record.size();
  }
  return 0;
}
