#include "tests/stats/detector_golden.h"

namespace driftd::stats {
namespace {

TEST(Ddm, DetectsWhereRiverDoes) { expect_river("ddm"); }

TEST(Ddm, GoesOnExactlyAfterSaveAndLoad) {
  std::vector<double> values;
  for (int i = 0; i < 3000; ++i) values.push_back((i * 7919) % 10 < (i < 1500 ? 2 : 7) ? 1 : 0);
  expect_resumable("ddm", values);
}

TEST(Ddm, PublishedFindsARiseOfTheErrorRate) {
  const auto detector = make_detector("ddm");
  int first = -1;
  for (int i = 0; i < 4000 && first < 0; ++i) {
    const double error = (i * 7919) % 100 < (i < 2000 ? 10 : 60) ? 1 : 0;
    if (detector->update(error, 0) == DetectorState::kDrift) first = i;
  }
  EXPECT_GE(first, 2000);
  EXPECT_LT(first, 2300);
}

TEST(Ddm, AfterResetItIsNew) {
  const auto used = make_detector("ddm"), fresh = make_detector("ddm");
  for (int i = 0; i < 500; ++i) used->update(i % 3 == 0 ? 1 : 0, 0);
  used->reset();
  for (int i = 0; i < 1000; ++i) {
    const double v = i > 500 || i % 5 == 0 ? 1 : 0;
    ASSERT_EQ(used->update(v, 0), fresh->update(v, 0)) << i;
  }
}

}  // namespace
}  // namespace driftd::stats
