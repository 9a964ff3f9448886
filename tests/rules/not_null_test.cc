#include "tests/rules/check_harness.h"

namespace driftd::rules {
namespace {

TEST(NotNull, FailsMissingAndNullAndNothingElse) {
  Harness h("not_null", {}, {number_field()});
  h.feed(series({1, Cell::kMissing, Cell::kNull, Cell::kWrongType, kNan, 2}));
  EXPECT_EQ(h.failed, (U{1, 2}));
  EXPECT_EQ(h.skipped, U{});
  EXPECT_EQ(h.judge().verdict, Verdict::kFail);
  EXPECT_STREQ(h.judge().reason, "null_values");
}

TEST(NotNull, TheShareIsAllowedUpToItsBound) {
  Harness h("not_null", {{"max_share", "0.25"}}, {number_field()});
  h.feed(series({1, 2, 3, Cell::kNull}));
  EXPECT_EQ(h.judge().verdict, Verdict::kOk) << "exactly at the bound";
  h.feed(series({Cell::kNull}));
  EXPECT_EQ(h.judge().verdict, Verdict::kFail);
  EXPECT_EQ(h.judge().value, 0.4);
  EXPECT_EQ(h.judge().n, 5U);
}

TEST(NotNull, TooFewRecordsGiveNoVerdict) {
  Harness h("not_null", {{"min_samples", "3"}}, {number_field()});
  h.feed(series({1, Cell::kNull}));
  EXPECT_EQ(h.judge().verdict, Verdict::kNoVerdict);
  EXPECT_STREQ(h.judge().reason, "too_few_samples");
}

}  // namespace
}  // namespace driftd::rules
