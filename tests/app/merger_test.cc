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
        if (f.verdict == Verdict::kNoVerdict) seen_ += f.reason + " ";
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

TEST_F(MergerTest, NothingIsJudgedByCountersThatHoldNoMore) {
  merger_->set_partitions({0, 1});
  hand_over(0, 1, 0xFFFF0000);
  hand_over(1, 1, 0xFFFE);
  EXPECT_EQ(seen(), "sensor sensor 1:4294967294 ");
  hand_over(0, 2, 0xFFFF0000);
  hand_over(1, 2, 0xFFFF);
  EXPECT_EQ(seen(), "sensor sensor 2:4294967295 too_many_records ");
}

// Its bins may be those of a reference that no window needs any more.
TEST_F(MergerTest, WhatIsPassedOverNeedNotBeRead) {
  merger_->set_partitions({0, 1});
  hand_over(0, 2, 5);
  const auto stored = [](Time end) {
    ByteWriter out;
    out.u32(0);
    for (const Time t : {end - kMinute, end, end, kNoTime}) out.i64(t);
    out.str("nothing that can be read");
    return out.take();
  };
  EXPECT_TRUE(merger_->take_stored(stored(2 * kMinute)).ok());
  EXPECT_FALSE(merger_->take_stored(stored(3 * kMinute)).ok());
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

TEST_F(MergerTest, KnowsWhoIsAheadOfTheOldestWindowThatWaitsAndHowMuchWaits) {
  using Numbers = std::set<std::uint32_t>;
  merger_->set_partitions({0, 1, 2});
  EXPECT_EQ(merger_->ahead(), Numbers());
  EXPECT_EQ(merger_->pending_bytes(), 0U);
  hand_over(0, 1, 5);
  hand_over(0, 2, 5);
  const std::size_t two = merger_->pending_bytes();
  hand_over(1, 1, 5);
  EXPECT_EQ(merger_->ahead(), (Numbers{0, 1}));
  const std::size_t three = merger_->pending_bytes();
  EXPECT_EQ(three * 2, two * 3);
  EXPECT_GT(three, 3 * (sizeof(PartitionOutput) + sizeof(Finding) + sizeof(stats::Block)));
  hand_over(1, 1, 5);
  EXPECT_EQ(merger_->pending_bytes(), three) << "known";
  ByteWriter state;
  merger_->save(state);
  auto again = Merger::make(plan_, nullptr, [](ClosedWindow) {});
  ByteReader in(state.bytes());
  ASSERT_TRUE((*again)->load(in).ok());
  EXPECT_EQ((*again)->pending_bytes(), three);
  hand_over(2, 1, 5);
  EXPECT_EQ(merger_->ahead(), Numbers{0}) << "1 has not closed what waits now";
  EXPECT_EQ(merger_->pending_bytes(), three / 3);
  merger_->set_partitions({1, 2});
  EXPECT_EQ(merger_->ahead(), Numbers()) << "0 is away";
  merger_->set_idle(1, true);
  merger_->set_idle(2, true);
  EXPECT_EQ(merger_->pending_bytes(), 0U) << "nothing waits";
}

// What is stored of a window that ends with this minute, and was counted as one that starts at `start`.
std::string stored(int minute, Time start) {
  PartitionOutput output;
  output.end = output.closed_until = minute * kMinute;
  output.start = start;
  ByteWriter out;
  output.save(out);
  return out.take();
}

// A start under another reference than the end's would choose the layout of blocks that are added to those of the other.
TEST_F(MergerTest, WhatIsStoredOfAWindowMustBeOne) {
  EXPECT_TRUE(merger_->take_stored(stored(3, 2 * kMinute)).ok());
  EXPECT_FALSE(merger_->take_stored(stored(4, 2 * kMinute)).ok()) << "two windows long";
  EXPECT_FALSE(merger_->take_stored(stored(4, kNoTime)).ok()) << "an end without a start";
  PartitionOutput shifted;
  shifted.start = 3 * kMinute + kSecond;
  shifted.end = 4 * kMinute + kSecond;
  ByteWriter out;
  shifted.save(out);
  EXPECT_FALSE(merger_->take_stored(out.bytes()).ok()) << "between the windows of the stream";
  EXPECT_FALSE(merger_->take_stored(stored(4, 3 * kMinute) + '\0').ok()) << "bytes left over";
}

TEST_F(MergerTest, AWindowThatHasGoneOutIsNotTakenFromAStateAsOneThatWaits) {
  merger_->set_partitions({0});
  hand_over(0, 1, 5);
  merger_->set_partitions({0, 1});
  hand_over(0, 2, 6);  // waits for 1
  ByteWriter out;
  merger_->save(out);
  std::string state = out.take();
  const auto loads = [&] {
    auto again = Merger::make(plan_, nullptr, [](ClosedWindow) {});
    ByteReader in(state);
    return (*again)->load(in).ok();
  };
  EXPECT_TRUE(loads());
  const Time later = 2 * kMinute;  // what has gone out, as of the state
  state.replace(0, sizeof later, reinterpret_cast<const char*>(&later), sizeof later);
  EXPECT_FALSE(loads());
}

}  // namespace
}  // namespace driftd::app
