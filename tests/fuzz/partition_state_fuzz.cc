// A partition's checkpoint: what loads is saved the same, and the partition goes on with it.
#include "app/engine/partition_engine.h"
#include "tests/fuzz/stream_for_fuzz.h"

namespace {

using namespace driftd;

struct Outputs final : app::OutputSink {
  void take(app::PartitionOutput output) override { findings += output.findings.size(); }
  std::size_t findings = 0;
};

std::shared_ptr<const app::StreamPlan> plan() {
  static const auto made = [] {
    app::StreamConfig config = fuzz::all_checks_stream();
    const auto reference = fuzz::reference_of(config.schema);
    auto plan = app::make_plan(std::move(config), reference, true);
    FUZZ_CHECK(plan.ok(), plan.ok() ? "" : plan.error().message);
    return *plan;
  }();
  return made;
}

std::unique_ptr<app::PartitionEngine> engine() {
  static fuzz::IgnoreRejects rejects;
  auto made = app::PartitionEngine::make(plan(), 0, rejects);
  FUZZ_CHECK(made.ok(), made.ok() ? "" : made.error().message);
  return std::move(*made);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto first = engine(), second = engine();
  if (!fuzz::load_is_stable(*first, *second, fuzz::text_of(data, size), "partition")) return 0;
  static const std::vector<std::string> records = fuzz::some_records(plan()->config.schema, 20);
  Outputs one, two;
  first->process(fuzz::raw_batch(records), one);
  second->process(fuzz::raw_batch(records), two);
  first->finish(one);
  second->finish(two);
  FUZZ_CHECK(fuzz::saved(*first) == fuzz::saved(*second), "the loaded partition goes on in another way");
  FUZZ_CHECK(one.findings == two.findings, "the loaded partition finds something else");
  return 0;
}
