// The alert states of a checkpoint: what loads is saved the same, and alerts go on from there.
#include "alerts/alert_book.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace driftd;
  alerts::AlertBook first{alerts::AlertRules{}}, second{alerts::AlertRules{}};
  if (!fuzz::load_is_stable(first, second, fuzz::text_of(data, size), "alerts")) return 0;
  for (alerts::AlertBook* book : {&first, &second}) {
    Finding finding;
    finding.stream = "pumps";
    finding.check = "in_range";
    finding.field = "temperature";
    finding.verdict = Verdict::kFail;
    finding.window_end = kHour;
    book->take(finding);
    std::vector<alerts::AlertEvent> events;
    book->close("pumps", kHour, {}, events);
    book->forget("pumps", events);
    for (const alerts::AlertEvent& event : events) {
      std::string json;
      append_json(json, event.alert);
      FUZZ_CHECK(json.starts_with("{"), json);
    }
  }
  FUZZ_CHECK(fuzz::saved(first) == fuzz::saved(second), "the loaded alerts go on in another way");
  return 0;
}
