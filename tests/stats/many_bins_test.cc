// Bins::bins_of: many searches at once give what each alone does.
#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "stats/bins.h"

namespace driftd::stats {
namespace {

TEST(ManyBins, AreTheBinsOfEachValueAlone) {
  std::mt19937_64 random(1);
  for (const std::size_t edges : {0U, 1U, 2U, 3U, 7U, 31U, 32U, 33U, 64U, 1000U}) {
    Bins bins;
    for (std::size_t e = 0; e < edges; ++e) bins.edges.push_back(static_cast<double>(e) * 2);
    for (const std::size_t n : {0U, 1U, 15U, 16U, 17U, 100U}) {
      std::vector<double> values;
      for (std::size_t i = 0; i < n; ++i) {
        // On edges, between them and beyond them.
        values.push_back(static_cast<double>(random() % (2 * edges + 4)) - 2);
      }
      if (n > 2) {
        values[1] = std::numeric_limits<double>::max();
        values[2] = std::numeric_limits<double>::lowest();
      }
      std::vector<std::uint32_t> found(n + 1, 777);
      bins.bins_of(values, found.data());
      for (std::size_t i = 0; i < n; ++i) {
        EXPECT_EQ(found[i], bins.bin_of(values[i])) << edges << " edges, " << values[i];
      }
      EXPECT_EQ(found[n], 777U) << "written beyond the values";
    }
  }
}

}  // namespace
}  // namespace driftd::stats
