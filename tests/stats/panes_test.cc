#include "stats/panes.h"

#include <algorithm>

#include "tests/stats/reference_fixture.h"

namespace driftd::stats::reference_test {
namespace {

constexpr std::uint32_t kChecks = 2;

// Panes as those of a stream with bins, sums, quantiles and two checks.
class PanesTest : public ::testing::Test {
 protected:
  PanesTest() : frozen_(build(some_rows())), layout_(layout_of(frozen_)) {
    layout_.fields[0].quantiles = true;
    layout_.checks = kChecks;
    layout_.finish();
  }

  // Rows [begin, end) of some_rows(); check 1 fails those above 40 and skips those without a value.
  LevelPane pane_of(std::uint32_t begin, std::uint32_t end) {
    const std::vector<Row> rows = some_rows();
    const Batch batch = batch_of(rows, dictionaries_);
    LevelPane pane(&layout_);
    for (std::uint32_t r = begin; r < end; ++r) {
      count_row(pane, layout_, batch, r, dictionaries_);
      if (batch.columns[0].cells[r] != Cell::kValid) {
        ++pane.tally(0, 1).skipped;
        continue;
      }
      const double x = batch.columns[0].numbers[r];
      pane.add_quantile(0, 0, x);
      if (x > 40) fail_row(pane.tally(0, 1), r, x);
    }
    return pane;
  }
  static void fail_row(TallyCell& tally, std::uint32_t row, double x) {
    ++tally.failed;
    tally.worst = std::max(tally.worst, x);
    if (tally.first_time != kNoTime) return;
    tally.first_time = row * kSecond;
    tally.first_position = row;
    tally.first_value = x;
  }
  Block block_of(std::uint32_t begin, std::uint32_t end, std::uint32_t partition = 0) {
    return pane_of(begin, end).block(0, partition, dictionaries_.sensors);
  }
  static std::string bytes_of(const Block& b) {
    ByteWriter out;
    b.save(out);
    return out.take();
  }
  static void expect_same_window(const Window& a, const Window& b) {
    EXPECT_EQ(a.rows, b.rows);
    for (std::size_t f = 0; f < a.fields.size(); ++f) {
      const FieldSummary &x = a.fields[f], &y = b.fields[f];
      EXPECT_EQ(x.valid, y.valid);
      EXPECT_EQ(x.null, y.null);
      EXPECT_EQ(x.not_finite, y.not_finite);
      EXPECT_EQ(x.moments.n, y.moments.n);
      EXPECT_NEAR(x.moments.mean, y.moments.mean, 1e-12 * std::fabs(y.moments.mean));
      EXPECT_NEAR(x.moments.m2, y.moments.m2, 1e-10 * y.moments.m2);
      EXPECT_EQ(x.moments.min, y.moments.min);
      EXPECT_EQ(x.moments.max, y.moments.max);
      EXPECT_TRUE(std::equal(x.bin_counts.begin(), x.bin_counts.end(), y.bin_counts.begin(), y.bin_counts.end()));
      ASSERT_EQ(x.bin_sums.size(), y.bin_sums.size());
      for (std::size_t i = 0; i < x.bin_sums.size(); ++i) {
        EXPECT_NEAR(x.bin_sums[i], y.bin_sums[i], 1e-9);
      }
      ASSERT_EQ(x.quantiles == nullptr, y.quantiles == nullptr);
      if (x.quantiles != nullptr) {
        EXPECT_EQ(x.quantiles->quantile(0.5), y.quantiles->quantile(0.5));
      }
    }
    for (std::size_t c = 0; c < kChecks; ++c) {
      EXPECT_EQ(a.tallies[c].failed, b.tallies[c].failed);
      EXPECT_EQ(a.tallies[c].skipped, b.tallies[c].skipped);
      EXPECT_EQ(a.tallies[c].worst, b.tallies[c].worst);
      EXPECT_EQ(a.tallies[c].first.set, b.tallies[c].first.set);
      EXPECT_EQ(a.tallies[c].first.position, b.tallies[c].first.position);
    }
  }

  Dictionaries dictionaries_{4};
  Reference frozen_;
  PaneLayout layout_;
};

TEST_F(PanesTest, AWindowOfPanesIsTheWindowOfItsRows) {
  WindowView merged(&layout_), whole(&layout_);
  // Sliding: each window is three panes of twenty rows.
  for (std::uint32_t start = 0; start + 60 <= 100; start += 20) {
    Block sum = Block::zero(layout_);
    for (std::uint32_t p = 0; p < 3; ++p) sum.merge(block_of(start + p * 20, start + p * 20 + 20));
    const Block once = block_of(start, start + 60);
    expect_same_window(merged.view(sum), whole.view(once));
  }
}

TEST_F(PanesTest, MergingInTheSameOrderGivesTheSameBits) {
  Block a, b = Block::zero(layout_);
  for (const auto& [begin, end] : {std::pair(0U, 30U), std::pair(30U, 31U), std::pair(31U, 100U)}) {
    a.merge(block_of(begin, end));  // into a block just made
    b.merge(block_of(begin, end));
  }
  EXPECT_EQ(bytes_of(a), bytes_of(b));
  b.merge(Block::zero(layout_));
  EXPECT_EQ(bytes_of(a), bytes_of(b)) << "nothing changes nothing";
}

TEST_F(PanesTest, AMergeKeepsTheFirstExample) {
  Block b = block_of(0, 50, 3);
  ASSERT_TRUE(b.tallies[1].first.set);
  const std::int64_t first = b.tallies[1].first.position;
  b.merge(block_of(50, 100, 4));
  EXPECT_EQ(b.tallies[1].first.position, first);
  EXPECT_EQ(b.tallies[1].first.partition, 3U);
  Block calm = Block::zero(layout_);
  calm.merge(b);
  EXPECT_EQ(calm.tallies[1].first.position, first) << "that of the first which has one";
}

TEST_F(PanesTest, LateRecordsAddUpEvenInABlockOfNothingElse) {
  Block b;
  b.late = 3;
  b.merge(block_of(0, 10));
  EXPECT_EQ(b.late, 3U);
  EXPECT_EQ(b.rows, 10U);
}

TEST_F(PanesTest, ABlockWithoutFieldsIsNotLoaded) {
  Block none;
  none.late = 3;
  const std::string bytes = bytes_of(none);
  ByteReader in(bytes);
  EXPECT_FALSE(Block().load(in, layout_).ok()) << "nobody saves one, and a window cannot be judged by it";
}

TEST_F(PanesTest, AViewOfThePaneIsAViewOfItsBlock) {
  const LevelPane pane = pane_of(0, 100);
  const Block block = pane.block(0, 0, dictionaries_.sensors);
  WindowView direct(&layout_), copied(&layout_);
  expect_same_window(direct.view(pane, 0, 0, dictionaries_.sensors), copied.view(block));
  // Reused for one that is empty, nothing of the window before is left.
  LevelPane empty(&layout_);
  empty.slot(0);
  Window& w = direct.view(empty, 0, 0, dictionaries_.sensors);
  EXPECT_EQ(w.rows, 0U);
  EXPECT_EQ(w.tallies[1].failed, 0U);
  EXPECT_FALSE(w.tallies[1].first.set);
  EXPECT_EQ(w.fields[0].moments.n, 0U);
}

TEST_F(PanesTest, SegmentsHaveSlotsInTheOrderInWhichTheyCame) {
  LevelPane pane(&layout_);
  EXPECT_EQ(pane.slot(1000), 0U);
  EXPECT_EQ(pane.slot(3), 1U);
  EXPECT_EQ(pane.slot(1000), 0U);
  pane.add_row(1);
  EXPECT_EQ(pane.segment(1), 3U);
  EXPECT_EQ(pane.rows(1), 1U);
  EXPECT_FALSE(pane.has(4));
  EXPECT_FALSE(pane.has(100000));
  pane.clear();
  EXPECT_EQ(pane.slots(), 0U);
  EXPECT_FALSE(pane.has(3));
  EXPECT_EQ(pane.slot(3), 0U);
  EXPECT_EQ(pane.rows(0), 0U);
}

TEST_F(PanesTest, RowsAreCountedAsFarAsTheirCounterHolds) {
  LevelPane pane(&layout_);
  pane.slot(7);
  ByteWriter out;
  pane.save(out);
  std::string bytes = out.take();
  bytes.replace(8, 4, "\xFE\xFF\xFF\xFF");  // behind the number of slots and the segment
  ByteReader in(bytes);
  ASSERT_TRUE(pane.load(in, 8).ok());
  EXPECT_EQ(pane.rows(0), kUncounted - 1);
  pane.add_row(0);
  pane.add_row(0);
  EXPECT_EQ(pane.rows(0), kUncounted);
}

TEST_F(PanesTest, ABlockComesBackAndRefusesTheRest) {
  const std::string bytes = bytes_of(block_of(0, 100));
  ByteReader in(bytes);
  Block loaded;
  ASSERT_TRUE(loaded.load(in, layout_).ok());
  EXPECT_TRUE(in.done("block").ok());
  EXPECT_EQ(bytes_of(loaded), bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ByteReader part(std::string_view(bytes).substr(0, size));
    ASSERT_FALSE(Block().load(part, layout_).ok()) << size;
  }
  PaneLayout other = layout_;
  other.fields.pop_back();
  other.finish();
  ByteReader again(bytes);
  EXPECT_FALSE(Block().load(again, other).ok()) << "of another schema";
}

TEST_F(PanesTest, APaneComesBackAndRefusesTheRest) {
  LevelPane pane = pane_of(0, 60);
  pane.slot(7);
  const auto bytes_of_pane = [](const LevelPane& p) {
    ByteWriter out;
    p.save(out);
    return out.take();
  };
  const std::string bytes = bytes_of_pane(pane);
  const auto load = [&](std::string_view from, std::uint32_t cap, LevelPane& to) {
    ByteReader in(from);
    const Status s = to.load(in, cap);
    return s.ok() && in.left() == 0;
  };
  LevelPane loaded(&layout_);
  loaded.slot(2);
  ASSERT_TRUE(load(bytes, 8, loaded));
  EXPECT_EQ(bytes_of_pane(loaded), bytes);
  EXPECT_FALSE(loaded.has(2)) << "what was there before is gone";
  EXPECT_FALSE(load(bytes, 7, loaded)) << "a segment that nobody has numbered";
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_FALSE(load(bytes.substr(0, size), 8, loaded)) << size;
  }
}

TEST_F(PanesTest, RefusesPanesThatCannotHaveBeenSaved) {
  LevelPane pane(&layout_), loaded(&layout_);
  pane.slot(0);
  ByteWriter out;
  pane.save(out);
  const std::string empty_slot = out.take();
  const auto refused = [&](const std::string& bytes) {
    ByteReader in(bytes);
    return !loaded.load(in, 1U << 20).ok();
  };
  ASSERT_FALSE(refused(empty_slot));
  ++pane.tally(0, 0).failed;
  pane.save(out);
  const std::string one_tally = out.take();
  ASSERT_FALSE(refused(one_tally));
  const std::size_t at = empty_slot.size() - 4 - 4 * kChecks;  // of the slot's tally numbers
  std::string shared = one_tally, unused = one_tally, beyond = one_tally;
  shared[at + 4] = 1;
  EXPECT_TRUE(refused(shared)) << "two checks with one tally";
  unused[at] = 0;
  EXPECT_TRUE(refused(unused)) << "a tally of nobody";
  beyond[at] = 2;
  EXPECT_TRUE(refused(beyond));
  // Many slots in few bytes must not make the reader reserve what they would need.
  ByteWriter many;
  constexpr std::uint32_t kSlots = 1U << 16;
  many.u32(kSlots);
  for (std::uint32_t i = 0; i < 3 * kSlots; ++i) many.u32(i);
  EXPECT_TRUE(refused(many.bytes()));
  EXPECT_LT(loaded.memory(), 1U << 20);
}

}  // namespace
}  // namespace driftd::stats::reference_test
