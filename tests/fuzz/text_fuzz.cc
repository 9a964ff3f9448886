// The small languages: times, durations, sizes, numbers, a group's metadata. What is read is written and read the same.
#include <cmath>

#include "core/params.h"
#include "core/text.h"
#include "core/time.h"
#include "ingest/group_metadata.h"
#include "ingest/row_identity.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace driftd;
  const std::string_view text = fuzz::text_of(data, size);
  if (const auto t = parse_time(text)) {
    FUZZ_CHECK(parse_time(format_time(*t)) == t, format_time(*t));
  }
  if (const auto d = parse_duration(text)) {
    FUZZ_CHECK(parse_duration(format_duration(*d)) == d, format_duration(*d));
  }
  if (const auto v = parse_number(text); v && std::isfinite(*v)) {
    FUZZ_CHECK(parse_number(format_number(*v)) == v, format_number(*v));
  }
  if (const auto i = parse_integer(text)) FUZZ_CHECK(parse_integer(std::to_string(*i)) == i, std::to_string(*i));
  parse_size(text);
  for (int unit = 0; unit < 5; ++unit) {
    const ingest::ReadTime read = ingest::read_time(text, static_cast<ingest::TimeUnit>(unit));
    FUZZ_CHECK(read.wrong || (read.time >= ingest::kEarliestTime && read.time < ingest::kLatestTime), "a time out of bounds");
  }
  const ingest::GroupMetadata metadata = ingest::GroupMetadata::read(text);
  const ingest::GroupMetadata again = ingest::GroupMetadata::read(metadata.text());
  FUZZ_CHECK(again.by == metadata.by && again.mark == metadata.mark, metadata.text());
  FUZZ_CHECK(excerpt(text, 50).size() <= 53, "an excerpt that is too long");
  std::string json;
  append_json_string(json, text);
  FUZZ_CHECK(json.size() >= 2 && json.find('\n') == std::string::npos, json);
  return 0;
}
