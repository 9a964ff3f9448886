#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

using ::testing::ElementsAre;

TEST(ClockSkew, BoundsAreInclusive) {
  CheckFixture f;
  const Time now = kHour;
  f.add({{{}, now, "a", now},
         {{}, now + 5 * kSecond, "a", now},
         {{}, now + 5 * kSecond + 1, "a", now},
         {{}, now - 60 * kSecond, "a", now},
         {{}, now - 61 * kSecond, "a", now},
         {{}, 0, "a", kNoTime}});
  const auto check = f.make("clock_skew", {{"max_ahead", "5s"}, {"max_behind", "1m"}});
  const RowHits hits = f.run(*check);
  EXPECT_THAT(rows_of(hits), ElementsAre(2, 4));
  EXPECT_THAT(values_of(hits), ElementsAre(-5.000000001, 61));
  EXPECT_THAT(hits.skipped, ElementsAre(5));
  EXPECT_STREQ(f.judge(*check).reason, "clock_skew");
}

TEST(ClockSkew, SaysWhenNoRecordHasAnArrival) {
  CheckFixture f;
  f.add({{{}, 0}, {{}, 1}});
  const Judgement j = f.judge(*f.make("clock_skew"));
  EXPECT_EQ(j.verdict, Verdict::kNoVerdict);
  EXPECT_STREQ(j.reason, "no_arrival_time");
  f.clear();
  EXPECT_STREQ(f.judge(*f.make("clock_skew")).reason, "too_few_samples");
}

}  // namespace
}  // namespace driftd::rules
