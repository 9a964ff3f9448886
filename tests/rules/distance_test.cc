#include "tests/rules/check_harness.h"

namespace driftd::rules {
namespace {

stats::Reference reference_of(const std::vector<double>& counts) {
  stats::Reference reference;
  reference.segments.push_back({});
  stats::FieldProfile profile;
  profile.name = "x";
  profile.bins.edges = {0, 1, 2};
  profile.bin_counts = counts;
  for (const double c : counts) profile.valid += static_cast<std::uint64_t>(c);
  reference.segments[0].fields.push_back(profile);
  return reference;
}

Judgement judge(const Harness& h, const stats::Reference& reference, const std::vector<double>& counts) {
  stats::Window window;
  window.fields.resize(1);
  window.fields[0].bins = &reference.segments[0].fields[0].bins;
  window.fields[0].bin_counts = counts;
  for (const double c : counts) window.fields[0].valid += static_cast<std::uint64_t>(c);
  return h.check->judge(window, {});
}

TEST(Distance, FailsAboveItsThresholdAndNamesTheBin) {
  const stats::Reference reference = reference_of({0, 500, 500, 0});
  const Harness h("distance", {{"metric", "total_variation"}, {"max", "0.2"}}, {number_field()}, 0, &reference);
  EXPECT_TRUE(h.check->needs().bins);
  EXPECT_EQ(judge(h, reference, {0, 50, 50, 0}).verdict, Verdict::kOk);
  EXPECT_EQ(judge(h, reference, {0, 70, 30, 0}).verdict, Verdict::kOk) << "at the bound";
  const Judgement bad = judge(h, reference, {0, 20, 20, 60});
  EXPECT_EQ(bad.verdict, Verdict::kFail);
  EXPECT_NEAR(*bad.value, 0.6, 1e-12);
  EXPECT_EQ(bad.n, 100U);
  EXPECT_EQ(bad.n_reference, 1000U);
  ASSERT_FALSE(bad.detail.empty());
  EXPECT_EQ(bad.detail[0].text, "> 2");
}

TEST(Distance, SaysWhyItCannotJudge) {
  const stats::Reference reference = reference_of({0, 500, 500, 0});
  const Harness without("distance", {{"metric", "psi"}, {"max", "1"}}, {number_field()});
  EXPECT_STREQ(judge(without, reference, {0, 50, 50, 0}).reason, "no_reference");
  const Harness h("distance", {{"metric", "psi"}, {"max", "1"}}, {number_field()}, 0, &reference);
  EXPECT_STREQ(judge(h, reference, {0, 15, 14, 0}).reason, "too_few_samples");
  EXPECT_EQ(judge(h, reference, {0, 15, 15, 0}).verdict, Verdict::kOk);
}

TEST(Distance, RefusesUnknownMetricsAndCategoriesForKs) {
  Harness h("distance", {{"metric", "psi"}, {"max", "1"}}, {category_field()});
  h.params_ = {{"metric", "spi"}, {"max", "1"}};
  ASSERT_FALSE(h.make().ok());
  EXPECT_NE(h.make().error().message.find("psi"), std::string::npos);
  h.params_ = {{"metric", "ks"}, {"max", "1"}};
  EXPECT_FALSE(h.make().ok());
}

}  // namespace
}  // namespace driftd::rules
