// References: a byte says what the rest is: an exported file, the same without its checksum, or content.
// What is taken has the same content again, and streams can be judged by it.
#include "app/engine/partition_engine.h"
#include "core/hash.h"
#include "stats/reference_store.h"
#include "tests/fuzz/stream_for_fuzz.h"

namespace {

using namespace driftd;

struct Outputs final : app::OutputSink {
  void take(app::PartitionOutput) override {}
};

void judge_by(const stats::Reference& reference) {
  static const app::StreamConfig config = fuzz::all_checks_stream();
  const auto plan = app::make_plan(config, std::make_shared<const stats::Reference>(reference), true);
  if (!plan) return;  // it may not fit the stream
  fuzz::IgnoreRejects rejects;
  auto engine = app::PartitionEngine::make(*plan, 0, rejects);
  if (!engine) return;
  static const std::vector<std::string> records = fuzz::some_records(config.schema, 12);
  Outputs outputs;
  (*engine)->process(fuzz::raw_batch(records), outputs);
  (*engine)->finish(outputs);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = fuzz::text_of(data, size);
  const std::uint8_t kind = fuzz::take_byte(input);
  stats::Reference reference;
  if (kind % 3 == 2) {
    if (!reference.load_content(input)) return 0;
    FUZZ_CHECK(reference.content() == input, "what was read is not what would be written");
    judge_by(reference);
    reference.name = "all";
  } else {
    std::string file(input);
    if (kind % 3 == 1) {
      ByteWriter head;
      head.raw("ref1", 4);
      head.u32(crc32c(input));
      file.insert(0, head.bytes());
    }
    auto imported = stats::import_bytes(file);
    if (!imported) return 0;
    reference = *std::move(imported);
  }
  const std::string bytes = stats::export_bytes(reference);
  const auto again = stats::import_bytes(bytes);
  FUZZ_CHECK(again.ok(), "what was exported cannot be imported: " + (again.ok() ? "" : again.error().message));
  FUZZ_CHECK(stats::export_bytes(*again) == bytes, "exported twice differs");
  FUZZ_CHECK(stats::differences(reference, *again).empty(), "differs from itself");
  return 0;
}
