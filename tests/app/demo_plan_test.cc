#include "app/commands/demo_plan.h"

#include <gtest/gtest.h>

#include "app/config/config.h"

namespace driftd::app {
namespace {

TEST(DemoPlan, ItsConfigurationIsValidAndHasACheckForEveryFault) {
  ErrorList errors;
  const Config config = read_config(demo_config("localhost:1", "data", "127.0.0.1:0"), "", errors);
  ASSERT_TRUE(errors.empty()) << format_errors("demo", errors);
  const std::string text = demo_config("localhost:1", "data", "127.0.0.1:0");
  for (const PlantedFault& fault : demo_faults()) {
    EXPECT_NE(text.find("{check: " + fault.check), std::string::npos) << fault.what;
    EXPECT_TRUE(fault.field.empty() || config.streams.at(0).schema.index_of(fault.field)) << fault.what;
  }
}

TEST(DemoPlan, FaultsComeOneAfterTheOtherBehindACleanStretch) {
  Duration last = 0;
  for (const PlantedFault& fault : demo_faults()) {
    EXPECT_GE(fault.from, last == 0 ? kDemoClean : last + kDemoWindow) << fault.what;
    EXPECT_GT(fault.to, fault.from);
    EXPECT_EQ(fault.from % kDemoWindow, 0) << "whole windows";
    last = fault.to;
  }
  EXPECT_GT(demo_length(), last + kDemoWindow);
}

TEST(DemoPlan, AFindingNamesItsFaultOnly) {
  const PlantedFault fault = demo_faults().front();
  ASSERT_EQ(fault.sensors.size(), 1U);
  const Time start = 1'700'000'000 * kSecond;
  Finding f;
  f.verdict = Verdict::kFail;
  f.check = fault.check;
  f.field = fault.field;
  f.segment = {"sensor", "pump-03"};
  f.window_start = start + fault.from;
  f.window_end = f.window_start + kDemoWindow;
  EXPECT_TRUE(names(f, fault, start));
  const auto without = [&](const auto& change) {
    Finding other = f;
    change(other);
    return names(other, fault, start);
  };
  EXPECT_FALSE(without([](Finding& o) { o.verdict = Verdict::kNoVerdict; }));
  EXPECT_FALSE(without([](Finding& o) { o.check = "in_range"; }));
  EXPECT_FALSE(without([](Finding& o) { o.field = "pressure"; }));
  EXPECT_FALSE(without([](Finding& o) { o.segment.value = "pump-04"; }));
  EXPECT_FALSE(without([](Finding& o) { o.segment = {"stream", ""}; })) << "of a stream, without its example";
  EXPECT_TRUE(without([](Finding& o) {
    o.segment = {"stream", ""};
    o.detail = {{"first_sensor", "pump-03", std::nullopt}};
  }));
  EXPECT_FALSE(without([&](Finding& o) { o.window_end = start + fault.from; })) << "a window before it";
  EXPECT_FALSE(without([&](Finding& o) {
    o.window_start = start + fault.to + kDemoWindow;
    o.window_end = o.window_start + kDemoWindow;
  })) << "a window behind it";
}

}  // namespace
}  // namespace driftd::app
