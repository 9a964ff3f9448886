// Partitions that go and come back; what merging gives is in stream_engine_test.cc.
#include "app/engine/merger.h"

#include "tests/app/engine_fixture.h"

namespace driftd::app {
namespace {

class MergerTest : public ::testing::Test {
 protected:
  MergerTest() : plan_(test_plan(test_stream())) {
    auto made = Merger::make(plan_, nullptr, [this](ClosedWindow closed) {
      for (const Finding& f : closed.findings) {
        if (f.segment.by == "stream") seen_ += std::to_string(closed.end / kMinute) + ":" + std::to_string(*f.n) + " ";
        if (f.check == "of sensor") seen_ += "sensor ";
      }
    });
    EXPECT_TRUE(made.ok());
    merger_ = std::move(*made);
  }

  // The window that ends with this minute, with rows for the stream and a finding on a sensor.
  std::uint64_t hand_over(std::uint32_t partition, int minute, std::uint64_t rows) {
    PartitionOutput output;
    output.partition = partition;
    output.end = output.closed_until = minute * kMinute;
    output.start = output.end - kMinute;
    WidePart& part = output.parts.emplace_back();
    part.block = stats::Block::zero(plan_->wide);
    part.block.rows = rows;
    Finding& f = output.findings.emplace_back();
    f.check = "of sensor";
    f.segment = {"sensor", "a"};
    f.window_end = output.end;
    return merger_->take(std::move(output));
  }
  std::string seen() { return std::exchange(seen_, ""); }

  std::shared_ptr<const StreamPlan> plan_;
  std::string seen_;
  std::unique_ptr<Merger> merger_;
};

TEST_F(MergerTest, WhatAPartitionHandsOverTwiceCountsOnce) {
  merger_->set_partitions({0, 1});
  hand_over(0, 1, 5);
  EXPECT_EQ(hand_over(0, 1, 5), 0U) << "waiting";
  hand_over(1, 1, 3);
  EXPECT_EQ(seen(), "sensor sensor 1:8 ");
  EXPECT_EQ(hand_over(0, 1, 5), 0U) << "gone out: not late, but known";
  hand_over(0, 2, 1);
  hand_over(1, 2, 1);
  EXPECT_EQ(seen(), "sensor sensor 2:2 ");
}

TEST_F(MergerTest, WindowsWaitWhileThePartitionsChangeAndThenForThoseThatCameBack) {
  merger_->set_partitions({0, 1});
  hand_over(0, 1, 5);
  merger_->hold(true);  // both are lost
  merger_->set_partitions({});
  EXPECT_EQ(seen(), "");
  merger_->set_partitions({0, 1});
  merger_->hold(false);
  EXPECT_EQ(seen(), "") << "1 has not closed the window yet";
  hand_over(0, 1, 5);  // computed again from its checkpoint
  hand_over(1, 1, 3);
  EXPECT_EQ(seen(), "sensor sensor 1:8 ");
}

TEST_F(MergerTest, APartitionThatStaysAwayIsNotWaitedFor) {
  merger_->set_partitions({0, 1});
  hand_over(0, 1, 5);
  merger_->hold(true);
  merger_->set_partitions({0});
  EXPECT_EQ(seen(), "");
  merger_->hold(false);
  EXPECT_EQ(seen(), "sensor 1:5 ");
}

TEST_F(MergerTest, KnowsAfterARestartWhatItHad) {
  merger_->set_partitions({0, 1});
  hand_over(0, 1, 5);
  hand_over(0, 2, 6);
  hand_over(1, 1, 3);
  seen();
  ByteWriter out;
  merger_->save(out);
  auto again = Merger::make(plan_, nullptr, [this](ClosedWindow closed) { seen_ += std::to_string(closed.end / kMinute) + " "; });
  ASSERT_TRUE(again.ok());
  ByteReader in(out.bytes());
  ASSERT_TRUE((*again)->load(in).ok());
  merger_ = std::move(*again);
  merger_->set_partitions({0, 1});
  hand_over(0, 2, 6);
  EXPECT_EQ(seen(), "");
  hand_over(1, 2, 1);
  EXPECT_EQ(seen(), "2 ");
}

}  // namespace
}  // namespace driftd::app
