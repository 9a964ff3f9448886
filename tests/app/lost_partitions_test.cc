#include "app/run/lost_partitions.h"

#include <gtest/gtest.h>

namespace driftd::app {
namespace {

TEST(LostPartitions, AreBehindUntilTheyAreAsFarAgain) {
  LostPartitions l;
  EXPECT_EQ(l.why_behind("s"), "");
  l.lost("s", 3, 100);
  l.lost("s", 3, 40);  // again, while it was catching up
  EXPECT_EQ(l.why_behind("s"), "partition 3 was lost, and has not come as far again");
  EXPECT_EQ(l.why_behind("other"), "");
  l.saved("s", 3, 99);
  l.saved("s", 2, 200);
  EXPECT_NE(l.why_behind("s"), "");
  l.saved("s", 3, 100);
  EXPECT_EQ(l.why_behind("s"), "");
}

TEST(LostPartitions, ThoseOfOthersAreNotWaitedFor) {
  LostPartitions l;
  l.lost("s", 1, 10);
  l.lost("s", 2, 10);
  l.assigned("s", {2, 7});
  EXPECT_EQ(l.why_behind("s"), "partition 2 was lost, and has not come as far again");
  l.assigned("s", {});
  EXPECT_EQ(l.why_behind("s"), "");
}

TEST(LostPartitions, AreForgottenWithWhatJudgedThem) {
  LostPartitions l;
  l.lost("s", 1, 10);
  l.lost("t", 1, 10);
  l.forget("s");
  EXPECT_EQ(l.why_behind("s"), "");
  EXPECT_NE(l.why_behind("t"), "");
  l.forget("t", 2);
  EXPECT_NE(l.why_behind("t"), "");
  l.forget("t", 1);
  EXPECT_EQ(l.why_behind("t"), "");
}

}  // namespace
}  // namespace driftd::app
