// The JSON decoder: a byte of options, then records between 0x1e (the record separator of RFC 7464).
#include "tests/fuzz/decoder_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace driftd;
  std::string_view input = fuzz::text_of(data, size);
  const std::uint8_t variant = fuzz::take_byte(input);
  ingest::DecodeOptions options;
  options.sensor = std::vector<std::string>{"s", "/m/s", "@key", "@topic/2"}[variant & 3];
  options.time = std::vector<std::string>{"ts", "/m/ts", "@arrival", "ts"}[variant >> 2 & 3];
  options.time_unit = static_cast<ingest::TimeUnit>((variant >> 4 & 7) % 5);
  options.max_record = 4096;
  options.max_depth = 8;
  Schema schema = fuzz::decoder_schema();
  if ((variant & 128) != 0) {
    schema.fields[0].path = "/m/t";
    schema.fields[3].path = "/m/0";
    schema.fields[5].path = "/a~1b/~0";
  }
  static const Params none;
  fuzz::fuzz_decoder("json", none, options, schema, fuzz::split(input, '\x1e', 64), true);
  return 0;
}
