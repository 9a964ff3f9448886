#include "stats/shares.h"

#include <gtest/gtest.h>

#include <numeric>

namespace driftd::stats {
namespace {

using Numbers = std::vector<double>;

// The two sides of a comparison, over as many bins as there are counts.
class SharesTest : public ::testing::Test {
 protected:
  const char* make(const Numbers& reference, const Numbers& current, ShareOptions options = {}, bool numeric = true) {
    bins_ = {};
    if (numeric) {
      bins_.edges.resize(reference.size() - 1);
      std::iota(bins_.edges.begin(), bins_.edges.end(), 0);
    } else {
      bins_.kind = Bins::Kind::kCategory;
      bins_.categories.resize(reference.size() - 1);
    }
    const auto side = [&](const Numbers& counts) {
      Binned b;
      b.bins = &bins_;
      b.counts = counts;
      b.n = std::accumulate(counts.begin(), counts.end(), 0.0);
      return b;
    };
    return make_shares(side(reference), side(current), options, shares_);
  }
  Numbers p() const { return {shares_.p.begin(), shares_.p.begin() + shares_.size}; }
  Numbers q() const { return {shares_.q.begin(), shares_.q.begin() + shares_.size}; }
  std::vector<std::uint32_t> first_bins() const { return {shares_.bin.begin(), shares_.bin.begin() + shares_.size}; }

  Bins bins_;
  Shares shares_;
};

TEST_F(SharesTest, CountsBecomeShares) {
  ASSERT_EQ(make({1, 3, 4}, {2, 2, 0}), nullptr);
  EXPECT_EQ(p(), (Numbers{0.125, 0.375, 0.5}));
  EXPECT_EQ(q(), (Numbers{0.5, 0.5, 0}));
  EXPECT_EQ(shares_.m, 8);
  EXPECT_EQ(shares_.n, 4);
  EXPECT_DOUBLE_EQ(shares_.harmonic(), 32.0 / 12);
  EXPECT_DOUBLE_EQ(shares_.null_mean(), 2 * (1.0 / 4 + 1.0 / 8));
}

TEST_F(SharesTest, BinsThatAreEmptyOnBothSidesAreLeftOut) {
  ASSERT_EQ(make({0, 2, 0, 0, 2, 0}, {0, 0, 0, 1, 1, 0}), nullptr);
  EXPECT_EQ(p(), (Numbers{0.5, 0, 0.5}));
  EXPECT_EQ(q(), (Numbers{0, 0.5, 0.5}));
  EXPECT_EQ(first_bins(), (std::vector<std::uint32_t>{1, 3, 4}));
}

TEST_F(SharesTest, JeffreysAddsHalfToEveryBinThatIsKept) {
  ASSERT_EQ(make({2, 0, 0, 1}, {0, 0, 1, 1}, {ShareOptions::Zero::kJeffreys}), nullptr);
  EXPECT_EQ(p(), (Numbers{2.5 / 4.5, 0.5 / 4.5, 1.5 / 4.5}));
  EXPECT_EQ(q(), (Numbers{0.5 / 3.5, 1.5 / 3.5, 1.5 / 3.5}));
}

TEST_F(SharesTest, EvidentlyFillsInWithoutRenormalising) {
  ASSERT_EQ(make({5, 5, 0}, {0, 5, 5}, {ShareOptions::Zero::kEvidently}), nullptr);
  EXPECT_EQ(p(), (Numbers{0.5, 0.5, 0.0001}));
  EXPECT_EQ(q(), (Numbers{0.0001, 0.5, 0.5}));
  // A share of 1 in 10000 is as small as what would be filled in.
  ASSERT_EQ(make({9999, 1, 0}, {1, 1, 1}, {ShareOptions::Zero::kEvidently}), nullptr);
  EXPECT_DOUBLE_EQ(p()[2], 0.0001 / 1e6);
  ASSERT_EQ(make({9997, 2, 1, 0}, {1, 1, 1, 1}, {ShareOptions::Zero::kEvidently}), nullptr);
  EXPECT_DOUBLE_EQ(p()[3], 1e-10);
}

TEST_F(SharesTest, NumericBinsAreMergedToEqualReferenceMass) {
  ShareOptions two;
  two.bins = 2;
  ASSERT_EQ(make({1, 1, 1, 1, 2, 2}, {1, 0, 0, 0, 0, 3}, two), nullptr);
  EXPECT_EQ(p(), (Numbers{0.5, 0.5}));
  EXPECT_EQ(q(), (Numbers{0.25, 0.75}));
  EXPECT_EQ(first_bins(), (std::vector<std::uint32_t>{0, 4}));
  ASSERT_EQ(make({1, 1, 1, 1}, {1, 1, 1, 1}, two, false), nullptr);
  EXPECT_EQ(shares_.size, 4U) << "categories have no order to merge along";
  // What stands beyond the reference's ends belongs to the bins there.
  ASSERT_EQ(make({2, 2, 0}, {1, 1, 2}, two), nullptr);
  EXPECT_EQ(q(), (Numbers{0.25, 0.75}));
  ASSERT_EQ(make({0, 2, 2}, {2, 1, 1}, two), nullptr);
  EXPECT_EQ(q(), (Numbers{0.75, 0.25}));
}

TEST_F(SharesTest, SaysWhyThereIsNoScore) {
  EXPECT_STREQ(make({0, 0}, {1, 1}), "too_few_samples");
  EXPECT_STREQ(make({1, 1}, {0, 0}), "too_few_samples");
  EXPECT_EQ(make(Numbers(Shares::kMost, 1), Numbers(Shares::kMost, 1)), nullptr) << "at the bound";
  EXPECT_STREQ(make(Numbers(Shares::kMost + 1, 1), Numbers(Shares::kMost + 1, 1)), "not_defined");
}

TEST_F(SharesTest, OptionsAreReadWithTheDefaultOfTheDistance) {
  for (const auto& [zero, expected] : {std::pair{"jeffreys", ShareOptions::Zero::kJeffreys},
                                       {"evidently", ShareOptions::Zero::kEvidently},
                                       {"none", ShareOptions::Zero::kNone}}) {
    ErrorList errors;
    const auto by_default = read_share_options(read_params({}, share_option_params(zero), "d", errors));
    EXPECT_EQ(by_default.zero, expected);
    EXPECT_EQ(by_default.bins, 0U);
    const Node node = Node::map({{"zero", Node::text(zero)}, {"bins", Node::text("1000")}});
    const auto given = read_share_options(read_params(node, share_option_params("none"), "d", errors));
    EXPECT_EQ(given.zero, expected);
    EXPECT_EQ(given.bins, 1000U);
    EXPECT_TRUE(errors.empty());
    read_params(Node::map({{"bins", Node::text("1001")}}), share_option_params("none"), "d", errors);
    EXPECT_FALSE(errors.empty());
  }
}

}  // namespace
}  // namespace driftd::stats
