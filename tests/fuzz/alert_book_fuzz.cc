// The alert states of a checkpoint: what loads is saved the same, and alerts go on from there.
#include "tests/fuzz/alert_book_for_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace driftd;
  alerts::AlertBook first{alerts::AlertRules{}}, second{alerts::AlertRules{}};
  if (!fuzz::load_is_stable(first, second, fuzz::text_of(data, size), "alerts")) return 0;
  for (alerts::AlertBook* book : {&first, &second}) fuzz::go_on(*book, "pumps");
  FUZZ_CHECK(fuzz::saved(first) == fuzz::saved(second), "the loaded alerts go on in another way");
  return 0;
}
