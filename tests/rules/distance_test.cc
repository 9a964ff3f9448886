#include "rules/distance_check.h"

#include <numeric>

#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

// Total variation, with a p-value and a bias that the test sets.
class FakeDistance final : public stats::Distance {
 public:
  FakeDistance(std::optional<double> p_value, const char* no_verdict) : p_value_(p_value), no_verdict_(no_verdict) {}
  bool needs_sums() const override { return true; }
  stats::Score score(const stats::Binned& reference, const stats::Binned& current, bool p_value) const override {
    if (no_verdict_ != nullptr) return stats::Score::none(no_verdict_);
    stats::Score s;
    double worst = 0;
    for (std::size_t b = 0; b < reference.counts.size(); ++b) {
      const double part = std::abs(current.counts[b] / current.n - reference.counts[b] / reference.n);
      s.value += part / 2;
      if (part > worst) s.worst_bin = static_cast<std::uint32_t>(b);
      worst = std::max(worst, part);
    }
    if (p_value) s.p_value = p_value_;
    s.excess = s.value - 0.01;
    return s;
  }

 private:
  std::optional<double> p_value_;
  const char* no_verdict_;
};

class DistanceTest : public ::testing::Test {
 protected:
  DistanceTest() {
    stats::FieldProfile profile;
    profile.name = "x";
    profile.bins.edges = {1, 2};
    profile.valid = 100;
    profile.bin_counts = {50, 30, 20};
    profile.bin_sums = {0, 0, 0};
    reference_.segments.push_back({Segment{}, 100, {profile}});
    profile.valid = 10;
    profile.bin_counts = {0, 0, 10};
    reference_.segments.push_back({Segment{"site", "north"}, 10, {profile}});
    profile.valid = 0;
    profile.bin_counts = {0, 0, 0};
    reference_.segments.push_back({Segment{"site", "empty"}, 0, {profile}});
    schema_.fields = {field("x")};
  }

  std::unique_ptr<Check> make(const DistanceRule& rule, std::optional<double> p_value = std::nullopt, const char* no_verdict = nullptr,
                              bool with_reference = true, bool all_findings = false) {
    const CheckContext context{&schema_, 0, with_reference ? &reference_ : nullptr, kMinute, all_findings};
    return make_distance_check(rule, context, std::make_unique<FakeDistance>(p_value, no_verdict));
  }
  Judgement judge(const Check& check, std::vector<double> counts, const Segment& segment = {}) {
    stats::Window w;
    w.segment = segment;
    w.fields.resize(1);
    w.fields[0].valid = static_cast<std::uint64_t>(std::accumulate(counts.begin(), counts.end(), 0.0));
    w.fields[0].bins = &reference_.segments[0].fields[0].bins;
    w.fields[0].bin_counts = counts;
    return check.judge(w, {});
  }

  stats::Reference reference_;
  Schema schema_;
};

TEST_F(DistanceTest, FailsAboveMaxAndSaysWhere) {
  const auto check = make({.max = 0.3, .min_samples = 10}, 0.001);
  const Judgement well = judge(*check, {50, 30, 20});
  EXPECT_EQ(well.verdict, Verdict::kOk);
  EXPECT_DOUBLE_EQ(*well.value, 0);
  EXPECT_EQ(*well.n, 100U);
  EXPECT_EQ(*well.n_reference, 100U);
  EXPECT_TRUE(well.uses_reference);
  EXPECT_TRUE(well.detail.empty());
  const Judgement far = judge(*check, {0, 0, 20});
  EXPECT_EQ(far.verdict, Verdict::kFail);
  EXPECT_STREQ(far.reason, "above_max");
  EXPECT_NEAR(*far.value, 0.8, 1e-12);
  EXPECT_DOUBLE_EQ(*far.threshold, 0.3);
  EXPECT_NEAR(*far.effect, 0.79, 1e-12);
  EXPECT_DOUBLE_EQ(*detail_of(far, "p_value")->number, 0.001);
  EXPECT_EQ(detail_of(far, "worst_bin")->text, "> 2");
  EXPECT_DOUBLE_EQ(*detail_of(far, "worst_bin_reference_share")->number, 0.2);
  EXPECT_DOUBLE_EQ(*detail_of(far, "worst_bin_share")->number, 1);
  EXPECT_EQ(check->kind(), FindingKind::kDrift);
  EXPECT_TRUE(check->needs().bins);
  EXPECT_TRUE(check->needs().sums);
}

TEST_F(DistanceTest, SaysWhereOfGoodWindowsWhenAllFindingsAreWanted) {
  const auto check = make({.max = 0.9, .min_samples = 10}, 0.25, nullptr, true, true);
  const Judgement well = judge(*check, {0, 0, 20});
  EXPECT_EQ(well.verdict, Verdict::kOk);
  ASSERT_NE(detail_of(well, "p_value"), nullptr);
  EXPECT_EQ(detail_of(well, "p_value")->number, 0.25);
  ASSERT_NE(detail_of(well, "worst_bin"), nullptr);
  EXPECT_EQ(detail_of(well, "worst_bin")->text, "> 2");
  // Above max, and not so by the p-value: still ok, and still explained.
  const auto both = make({.max = 0.3, .min_samples = 10, .max_p_value = 0.05}, 0.25, nullptr, true, true);
  const Judgement unlikely = judge(*both, {0, 0, 20});
  EXPECT_EQ(unlikely.verdict, Verdict::kOk);
  EXPECT_NE(detail_of(unlikely, "p_value"), nullptr);
  EXPECT_NE(detail_of(unlikely, "worst_bin_share"), nullptr);
  EXPECT_TRUE(judge(*check, {1, 0, 0}).detail.empty()) << "no verdict, nothing to explain";
}

TEST_F(DistanceTest, UsesTheSegmentsOwnProfile) {
  const auto check = make({.max = 0.3, .min_samples = 1});
  EXPECT_EQ(judge(*check, {0, 0, 20}, {"site", "north"}).verdict, Verdict::kOk);
  EXPECT_EQ(*judge(*check, {0, 0, 20}, {"site", "north"}).n_reference, 10U);
  EXPECT_EQ(judge(*check, {0, 0, 20}, {"site", "south"}).verdict, Verdict::kFail)
      << "the stream's, when the reference does not have the segment";
  EXPECT_STREQ(judge(*check, {0, 0, 20}, {"site", "empty"}).reason, "empty_reference");
}

TEST_F(DistanceTest, APValueMayBeAskedForToo) {
  const DistanceRule rule{.max = 0.3, .min_samples = 1, .max_p_value = 0.05};
  EXPECT_EQ(judge(*make(rule, 0.05), {0, 0, 20}).verdict, Verdict::kFail);
  EXPECT_EQ(judge(*make(rule, 0.06), {0, 0, 20}).verdict, Verdict::kOk);
  EXPECT_EQ(judge(*make(rule, 0.0), {50, 30, 20}).verdict, Verdict::kOk) << "not far enough";
  EXPECT_STREQ(judge(*make(rule), {0, 0, 20}).reason, "no_p_value");
}

TEST_F(DistanceTest, SaysWhyItCannotJudge) {
  const DistanceRule rule{.max = 0.3, .min_samples = 30};
  EXPECT_STREQ(judge(*make(rule, {}, nullptr, false), {0, 0, 40}).reason, "no_reference");
  EXPECT_STREQ(judge(*make(rule), {0, 0, 29}).reason, "too_few_samples");
  EXPECT_STREQ(judge(*make(rule, {}, "constant_reference"), {0, 0, 40}).reason, "constant_reference");
  EXPECT_STREQ(judge(*make(rule), {0, 40}).reason, "not_in_reference") << "other bins";
  reference_.segments[0].fields[0].kind = FieldKind::kCategory;
  EXPECT_STREQ(judge(*make(rule), {0, 0, 40}).reason, "not_in_reference") << "another type";
}

TEST_F(DistanceTest, RefusesAMetricThatIsNone) {
  const CheckFixture f;
  EXPECT_FALSE(f.try_make("distance", {{"metric", "none_such"}, {"max", "1"}}, "x").ok());
}

}  // namespace
}  // namespace driftd::rules
