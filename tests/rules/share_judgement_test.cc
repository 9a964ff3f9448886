#include "rules/share_judgement.h"

#include <gtest/gtest.h>

#include <cmath>

namespace driftd::rules {
namespace {

stats::Window window_of(std::uint64_t rows) {
  stats::Window w;
  w.rows = rows;
  return w;
}

stats::Tally tally_of(std::uint64_t failed, std::uint64_t skipped = 0) {
  stats::Tally t;
  t.failed = failed;
  t.skipped = skipped;
  return t;
}

Judgement judge(double max_share, std::uint64_t min_samples, std::uint64_t rows, const stats::Tally& tally,
                Measure measure = Measure::kNone) {
  return judge_share({max_share, min_samples}, window_of(rows), tally, "bad", measure);
}

std::string text(const Judgement& j) {
  std::string out;
  for (const Detail& d : j.detail) out += d.key + "=" + (d.number ? std::to_string(static_cast<long>(*d.number)) : d.text) + " ";
  return out;
}

TEST(ShareJudgement, TheLargestShareIsStillWell) {
  const Judgement at = judge(0.25, 1, 8, tally_of(2));
  EXPECT_EQ(at.verdict, Verdict::kOk);
  EXPECT_STREQ(at.reason, "");
  EXPECT_TRUE(at.detail.empty()) << "a good window costs no strings";
  EXPECT_EQ(at.value, 0.25);
  EXPECT_EQ(at.threshold, 0.25);
  EXPECT_EQ(at.n, 8U);
  const Judgement above = judge(0.25, 1, 8, tally_of(3));
  EXPECT_EQ(above.verdict, Verdict::kFail);
  EXPECT_STREQ(above.reason, "bad");
  EXPECT_EQ(above.value, 0.375);
}

TEST(ShareJudgement, RowsThatCannotBeJudgedAreInNeitherCount) {
  const Judgement j = judge(0, 1, 10, tally_of(3, 4));
  EXPECT_EQ(j.value, 0.5);
  EXPECT_EQ(j.n, 6U);
  EXPECT_EQ(text(j), "failed=3 judged=6 skipped=4 ");
}

TEST(ShareJudgement, TooFewJudgedRowsAreNoVerdict) {
  const Judgement below = judge(0, 5, 10, tally_of(0, 6));
  EXPECT_EQ(below.verdict, Verdict::kNoVerdict);
  EXPECT_STREQ(below.reason, "too_few_samples");
  EXPECT_EQ(below.n, 4U);
  EXPECT_EQ(judge(0, 5, 10, tally_of(0, 5)).verdict, Verdict::kOk) << "at the bound";
  EXPECT_STREQ(judge(0, 1, 0, tally_of(0)).reason, "too_few_samples");
  EXPECT_STREQ(judge(0, 1, 3, tally_of(0, 9)).reason, "too_few_samples") << "more skipped than rows";
}

// A silent sensor has no row and fails all the same.
TEST(ShareJudgement, AFailureWithoutARowCounts) {
  const Judgement j = judge(0.5, 1, 0, tally_of(2));
  EXPECT_EQ(j.verdict, Verdict::kFail);
  EXPECT_EQ(j.value, 1);
  EXPECT_EQ(j.n, 2U);
}

TEST(ShareJudgement, NamesTheFirstFailureAndTheWorst) {
  stats::Tally tally = tally_of(2);
  tally.worst = std::numeric_limits<double>::infinity();
  tally.first = {true, kHour, 3, 17, -5, "pump-1"};
  EXPECT_EQ(text(judge(0, 1, 4, tally)), "failed=2 judged=4 first_time=1970-01-01T01:00:00Z first_source=3:17 first_sensor=pump-1 ");
  const Judgement j = judge(0, 1, 4, tally, Measure::kValue);
  for (const Detail& d : j.detail) EXPECT_TRUE(std::isfinite(d.number.value_or(0))) << d.key;
  EXPECT_EQ(j.detail.back().key, "first_value");
  EXPECT_EQ(j.detail.back().number, -5);
  tally.first.position = -1;  // a sensor that was silent
  EXPECT_EQ(text(judge(0, 1, 4, tally)).find("first_source"), std::string::npos);
}

TEST(ShareJudgement, ItsParametersHaveBoundsAndDefaults) {
  const auto specs = with_share_params({});
  const auto read = [&](const char* name, const char* value) {
    ErrorList errors;
    const Node node = *name == '\0' ? Node() : Node::map({{name, Node::text(value)}});
    const ShareRule rule = read_share(read_params(node, specs, "check", errors));
    return errors.empty() ? std::to_string(rule.max_share) + " " + std::to_string(rule.min_samples) : "error";
  };
  EXPECT_EQ(read("", ""), "0.000000 1");
  EXPECT_EQ(read("max_share", "0.5"), "0.500000 1");
  EXPECT_EQ(read("max_share", "1"), "1.000000 1");
  EXPECT_EQ(read("min_samples", "20"), "0.000000 20");
  for (const char* share : {"-0.01", "1.01", "nan"}) EXPECT_EQ(read("max_share", share), "error") << share;
  EXPECT_EQ(read("min_samples", "0"), "error");
  EXPECT_EQ(with_share_reasons({{"bad", "x"}}).back().word, "too_few_samples");
}

}  // namespace
}  // namespace driftd::rules
