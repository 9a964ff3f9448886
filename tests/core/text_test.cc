#include "core/text.h"

#include <gtest/gtest.h>

namespace driftd {
namespace {

std::string meant(std::string_view word, const std::vector<std::string>& known) { return nearest(word, known).value_or(""); }

TEST(Nearest, IsAnotherNameThenATypoThenABeginning) {
  const std::vector<std::string> metrics = {"ks", "psi", "jensen_shannon", "kl"};
  EXPECT_EQ(meant("js", metrics), "jensen_shannon");
  EXPECT_EQ(meant("js", {"ks"}), "ks") << "what is not among the known is not suggested";
  EXPECT_EQ(meant("kss", metrics), "ks");
  EXPECT_EQ(meant("drfit", {"drift", "model"}), "drift") << "two letters swapped are one slip";
  EXPECT_EQ(meant("jensen", metrics), "jensen_shannon");
  const std::vector<std::string> kinds = {"number", "integer", "flag", "category", "text"};
  for (const auto& [word, kind] :
       {std::pair("int", "integer"), {"string", "text"}, {"bool", "flag"}, {"float", "number"}, {"cat", "category"}}) {
    EXPECT_EQ(meant(word, kinds), kind) << word;
  }
  EXPECT_EQ(meant("crit", {"info", "warning", "critical"}), "critical");
  EXPECT_EQ(meant("isnull", {"not_null", "null_share"}), "not_null");
  EXPECT_EQ(meant("sensor_", {"sensor_a_long_name", "sensor_b_long_name"}), "") << "two begin so";
  EXPECT_EQ(meant("i", {"integer"}), "") << "one letter says nothing";
}

}  // namespace
}  // namespace driftd
