#include "stats/log_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace driftd::stats {
namespace {

std::string bytes_of(const LogHistogram& h) {
  ByteWriter out;
  h.save(out);
  return out.take();
}

Status load(const std::string& bytes, LogHistogram& h) {
  ByteReader in(bytes);
  if (const Status s = h.load(in); !s) return s;
  return in.done("histogram");
}

TEST(LogHistogram, HasNoQuantileWhenEmpty) { EXPECT_FALSE(LogHistogram().quantile(0.5)); }

TEST(LogHistogram, QuantilesAreWithinHalfAPerCent) {
  std::mt19937 random(11);
  std::lognormal_distribution<double> size(0, 4);
  std::vector<double> values;
  LogHistogram h;
  for (int i = 0; i < 20000; ++i) {
    values.push_back(size(random) * (i % 3 == 0 ? -1 : 1));
    h.add(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double q : {0.0, 0.001, 0.1, 0.3333, 0.5, 0.9, 0.999, 1.0}) {
    const double rank = std::max(1.0, std::ceil(q * static_cast<double>(values.size())));
    const double exact = values[static_cast<std::size_t>(rank) - 1];
    EXPECT_NEAR(*h.quantile(q), exact, LogHistogram::kRelativeError * 1.0001 * std::fabs(exact)) << q;
  }
}

TEST(LogHistogram, ValuesOutsideItsBoundsCountAtThem) {
  LogHistogram h;
  for (const double x : {-1e300, -1e-12, 0.0, 1e-12, 1e300}) h.add(x);
  EXPECT_EQ(*h.quantile(0.5), 0) << "the three in the middle count as zero";
  EXPECT_NEAR(*h.quantile(1), 1e15, 1e13);
  EXPECT_NEAR(*h.quantile(0), -1e15, 1e13);
  LogHistogram again;
  EXPECT_TRUE(load(bytes_of(h), again).ok());
}

TEST(LogHistogram, MergesExactlyInAnyOrder) {
  std::mt19937 random(12);
  std::normal_distribution<double> normal(0, 30);
  LogHistogram whole;
  std::vector<LogHistogram> parts(5);
  for (int i = 0; i < 5000; ++i) {
    const double x = normal(random);
    whole.add(x);
    parts[static_cast<std::size_t>(i) % 4].add(x);  // the last one stays empty
  }
  LogHistogram forward, backward;
  for (const LogHistogram& p : parts) forward.merge(p);
  std::reverse(parts.begin(), parts.end());
  for (const LogHistogram& p : parts) backward.merge(p);
  EXPECT_EQ(bytes_of(forward), bytes_of(whole));
  EXPECT_EQ(bytes_of(backward), bytes_of(whole));
  EXPECT_EQ(forward.n(), 5000U);
}

TEST(LogHistogram, ComesBackAndRefusesTheRest) {
  LogHistogram h, loaded;
  for (const double x : {-5.0, 0.0, 0.1, 7.0, 7.0}) h.add(x);
  const std::string bytes = bytes_of(h);
  ASSERT_TRUE(load(bytes, loaded).ok());
  EXPECT_EQ(bytes_of(loaded), bytes);
  EXPECT_EQ(loaded.n(), 5U);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(load(bytes.substr(0, size), loaded).ok()) << size;
  }
  const auto written = [](std::vector<std::pair<std::int64_t, std::uint64_t>> entries) {
    ByteWriter out;
    out.u32(static_cast<std::uint32_t>(entries.size()));
    for (const auto& [key, count] : entries) {
      out.i64(key);
      out.u64(count);
    }
    return out.take();
  };
  EXPECT_TRUE(load(written({{-5600, 1}, {5600, 1}}), loaded).ok());
  EXPECT_FALSE(load(written({{2, 1}, {1, 1}}), loaded).ok()) << "keys must grow";
  EXPECT_FALSE(load(written({{1, 1}, {1, 1}}), loaded).ok());
  EXPECT_FALSE(load(written({{1, 0}}), loaded).ok()) << "an empty counter is not kept";
  EXPECT_FALSE(load(written({{5601, 1}}), loaded).ok());
  EXPECT_FALSE(load(written({{-5601, 1}}), loaded).ok());
  EXPECT_FALSE(load(written({{1, ~0ULL}, {2, 2}}), loaded).ok()) << "counts that overflow";
}

}  // namespace
}  // namespace driftd::stats
