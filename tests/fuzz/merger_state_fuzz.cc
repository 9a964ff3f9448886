// A merger's checkpoint: a byte that picks the stream (0: all checks; else one whose reference changes), then the state.
// What loads is saved the same, and windows go out of it.
#include "app/engine/merger.h"
#include "tests/fuzz/stream_for_fuzz.h"

namespace {

using namespace driftd;

std::vector<app::PlanEdition> all_checks() {
  app::StreamConfig config = fuzz::all_checks_stream();
  const auto reference = fuzz::reference_of(config.schema);
  auto made = app::make_plan(std::move(config), reference, true);
  FUZZ_CHECK(made.ok(), made.ok() ? "" : made.error().message);
  return {{kNoTime, *made}};
}

std::unique_ptr<app::Merger> merger(bool all) {
  static const auto large = all_checks(), small = fuzz::two_editions();
  const auto& editions = all ? large : small;
  auto made = app::Merger::make(editions.front().plan, nullptr, [](app::ClosedWindow) {});
  FUZZ_CHECK(made.ok(), made.ok() ? "" : made.error().message);
  fuzz::adopt_rest(**made, editions);
  return std::move(*made);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view state = fuzz::text_of(data, size);
  const bool all = fuzz::take_byte(state) == 0;
  const auto first = merger(all), second = merger(all);
  if (!fuzz::load_is_stable(*first, *second, state, "merger")) return 0;
  for (app::Merger* one : {first.get(), second.get()}) {
    one->set_partitions({0, 1});
    one->set_idle(0, true);
    one->set_idle(1, true);
  }
  FUZZ_CHECK(fuzz::saved(*first) == fuzz::saved(*second), "the loaded merger goes on in another way");
  return 0;
}
