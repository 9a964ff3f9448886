#include <gtest/gtest.h>

#include <cmath>

#include "core/text.h"

namespace driftd {
namespace {

TEST(ParseNumber, BeyondTheRangeOfADouble) {
  EXPECT_EQ(parse_number("1e400"), HUGE_VAL);
  EXPECT_EQ(parse_number("-1e400"), -HUGE_VAL);
  EXPECT_EQ(parse_number("1e-400"), 0);
  EXPECT_FALSE(parse_number("1e400x"));
}

}  // namespace
}  // namespace driftd
