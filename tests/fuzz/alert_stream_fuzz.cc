// The alerts of one stream, as a shared store hands them from one driftd to another: beside those of other streams, which
// stay as they are.
#include "tests/fuzz/alert_book_for_fuzz.h"

namespace {

using namespace driftd;

struct OneStream {
  alerts::AlertBook book{alerts::AlertRules{.for_windows = 1}};

  OneStream() {
    Finding finding;
    finding.stream = "mill";
    finding.verdict = Verdict::kFail;
    finding.window_end = kHour;
    book.take(finding);
    std::vector<alerts::AlertEvent> events;
    book.close("mill", kHour, {}, events);
  }
  void save(ByteWriter& out) const { book.save_stream("all", out); }
  Status load(ByteReader& in) { return book.load_stream("all", in); }
  std::string others() const {
    ByteWriter out;
    book.save_stream("mill", out);
    return out.take();
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  OneStream first, second;
  const std::string others = first.others();
  const bool loaded = fuzz::load_is_stable(first, second, fuzz::text_of(data, size), "alerts of a stream");
  FUZZ_CHECK(first.others() == others, "another stream's alerts are changed");
  FUZZ_CHECK(loaded || first.book.alerts().size() == 1, "alerts of what does not load");
  if (!loaded) return 0;
  for (OneStream* one : {&first, &second}) fuzz::go_on(one->book, "all");
  FUZZ_CHECK(fuzz::saved(first) == fuzz::saved(second), "the loaded alerts go on in another way");
  FUZZ_CHECK(first.others() == others, "another stream's alerts are changed");
  return 0;
}
