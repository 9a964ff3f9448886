// A merger's checkpoint: what loads is saved the same, and windows go out of it.
#include "app/engine/merger.h"
#include "tests/fuzz/stream_for_fuzz.h"

namespace {

using namespace driftd;

std::unique_ptr<app::Merger> merger() {
  static const auto plan = [] {
    app::StreamConfig config = fuzz::all_checks_stream();
    const auto reference = fuzz::reference_of(config.schema);
    auto made = app::make_plan(std::move(config), reference, true);
    FUZZ_CHECK(made.ok(), made.ok() ? "" : made.error().message);
    return *made;
  }();
  auto made = app::Merger::make(plan, nullptr, [](app::ClosedWindow) {});
  FUZZ_CHECK(made.ok(), made.ok() ? "" : made.error().message);
  return std::move(*made);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto first = merger(), second = merger();
  if (!fuzz::load_is_stable(*first, *second, fuzz::text_of(data, size), "merger")) return 0;
  for (app::Merger* one : {first.get(), second.get()}) {
    one->set_partitions({0, 1});
    one->set_idle(0, true);
    one->set_idle(1, true);
  }
  FUZZ_CHECK(fuzz::saved(*first) == fuzz::saved(*second), "the loaded merger goes on in another way");
  return 0;
}
