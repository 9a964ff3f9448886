#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(NotNull, FailsWhatHasNoValue) {
  CheckFixture f;
  f.add(every_cell(1.0, 2.0));
  const RowHits hits = f.run(*f.make("not_null", {}, "x"));
  EXPECT_THAT(rows_of(hits), ElementsAre(1, 2, 4));  // missing, null, not finite
  EXPECT_THAT(hits.skipped, IsEmpty());
}

TEST(NotNull, JudgesTheShareAndNamesTheFirstRow) {
  CheckFixture f;
  f.add(every_cell(1.0, 2.0));
  const Judgement bad = f.judge(*f.make("not_null", {{"max_share", "0.4"}}, "x"));
  EXPECT_EQ(bad.verdict, Verdict::kFail);
  EXPECT_STREQ(bad.reason, "null_value");
  EXPECT_DOUBLE_EQ(*bad.value, 0.5);
  EXPECT_DOUBLE_EQ(*bad.threshold, 0.4);
  EXPECT_EQ(*bad.n, 6U);
  EXPECT_EQ(detail_of(bad, "first_source")->text, "3:1001");
  EXPECT_EQ(detail_of(bad, "first_sensor")->text, "a");
  EXPECT_EQ(detail_of(bad, "first_time")->text, "1970-01-01T00:00:01Z");
  EXPECT_EQ(detail_of(bad, "first_value"), nullptr);

  const Judgement well = f.judge(*f.make("not_null", {{"max_share", "0.5"}}, "x"));
  EXPECT_EQ(well.verdict, Verdict::kOk);
  EXPECT_DOUBLE_EQ(*well.value, 0.5);
  EXPECT_THAT(well.detail, IsEmpty());
}

TEST(NotNull, SaysWhenThereAreTooFewRows) {
  CheckFixture f;
  f.add_row({{1.0}});
  const Judgement j = f.judge(*f.make("not_null", {{"min_samples", "2"}}, "x"));
  EXPECT_EQ(j.verdict, Verdict::kNoVerdict);
  EXPECT_STREQ(j.reason, "too_few_samples");
}

}  // namespace
}  // namespace driftd::rules
