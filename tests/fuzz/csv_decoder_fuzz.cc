// The CSV decoder: a byte of options, then rows between 0x1e.
#include "tests/fuzz/decoder_fuzz.h"

namespace {

driftd::Params csv_params(bool header) {
  using namespace driftd;
  const auto& specs = ingest::decoders().find("csv")->descriptor.params;
  ErrorList errors;
  Node node = Node::map({});
  if (!header) {
    std::vector<Node> columns;
    for (const char* name : {"ts", "s", "t", "n", "i", "c", "f", "x"}) columns.push_back(Node::text(name));
    node.entries.emplace_back("columns", Node::list(std::move(columns)));
    node.entries.emplace_back("header", Node::text("false"));
  }
  Params params = read_params(node, specs, "csv", errors);
  FUZZ_CHECK(errors.empty(), errors.errors().front().message);
  return params;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace driftd;
  std::string_view input = fuzz::text_of(data, size);
  const std::uint8_t variant = fuzz::take_byte(input);
  ingest::DecodeOptions options;
  options.sensor = (variant & 1) != 0 ? "@key" : "s";
  options.time = (variant & 2) != 0 ? "@arrival" : "ts";
  options.time_unit = static_cast<ingest::TimeUnit>((variant >> 2 & 7) % 5);
  options.max_record = 4096;
  static const Params with_header = csv_params(true), without = csv_params(false);
  const bool header = (variant & 32) == 0;
  fuzz::fuzz_decoder("csv", header ? with_header : without, options, fuzz::decoder_schema(), fuzz::split(input, '\x1e', 64), false);
  return 0;
}
