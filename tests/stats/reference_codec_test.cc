#include <cmath>

#include "core/hash.h"
#include "tests/stats/reference_fixture.h"

namespace driftd::stats::reference_test {
namespace {

// Small, so that every bit of it can be tried, with every kind of field and a history.
Reference small() {
  std::vector<Row> rows;
  for (int i = 0; i < 6; ++i) {
    rows.push_back({i * 20 * kSecond, 20.0 + i % 3, i % 2 == 0 ? "on" : "idle"});
  }
  rows[1].temperature = Cell::kNull;
  rows[2].site = "south";
  Reference r = build(rows);
  // Of the histories one is enough, and one of another segment.
  std::vector<History> kept = {*history_of(r, {}, "temperature", "mean"), *history_of(r, {"site", "south"}, "", "count")};
  r.history = kept;
  return r;
}

Status load(const std::string& bytes) { return Reference().load_content(bytes); }

TEST(ReferenceCodec, ComesBackBitForBit) {
  for (const Reference& r : {small(), build(some_rows())}) {
    Reference loaded;
    ASSERT_TRUE(loaded.load_content(r.content()).ok());
    EXPECT_EQ(loaded.content(), r.content());
    EXPECT_EQ(loaded.hash, sha256_hex(r.content()));
    EXPECT_EQ(loaded.window, r.window);
    ASSERT_EQ(loaded.segments.size(), r.segments.size());
    EXPECT_EQ(loaded.field({"site", "south"}, "temperature")->bin_counts, r.field({"site", "south"}, "temperature")->bin_counts);
    EXPECT_EQ(loaded.history.size(), r.history.size());
    EXPECT_EQ(loaded.provenance.sources, r.provenance.sources);
  }
}

TEST(ReferenceCodec, RefusesEveryTruncationAndAnythingAfterTheEnd) {
  const std::string bytes = small().content();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_FALSE(load(bytes.substr(0, size)).ok()) << size << " of " << bytes.size();
  }
  EXPECT_FALSE(load(bytes + '\0').ok());
}

TEST(ReferenceCodec, AFlippedBitIsRefusedOrExactlyWhatIsRead) {
  const std::string bytes = small().content();
  std::size_t refused = 0;
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    Reference loaded;
    if (!loaded.load_content(flipped).ok()) {
      ++refused;
      continue;
    }
    ASSERT_EQ(loaded.content(), flipped) << "bit " << bit << " is read as something else";
    ASSERT_NE(loaded.hash, sha256_hex(bytes));
  }
  EXPECT_GT(refused, bytes.size()) << "most structure is checked";
}

TEST(ReferenceCodec, DamagedLengthsAllocateNothingLarge) {
  const std::string bytes = small().content();
  // Wherever a length may stand: the reader must give up before it reserves gigabytes, or this test
  // dies of it.
  for (std::size_t at = 0; at + 4 <= bytes.size(); ++at) {
    std::string absurd = bytes;
    absurd.replace(at, 4, "\xff\xff\xff\x7f");
    Reference loaded;
    if (loaded.load_content(absurd).ok()) {
      EXPECT_EQ(loaded.content(), absurd);
    }
  }
}

// Two months of windows of a second.
TEST(ReferenceCodec, HistoriesMayBeLong) {
  constexpr std::size_t kWindows = 5'184'000;
  Reference r = small();
  History& h = r.history[0];
  h.starts.clear();
  for (std::size_t i = 0; i < kWindows; ++i) h.starts.push_back(static_cast<Time>(i) * kSecond);
  h.values.assign(kWindows, 1);
  Reference loaded;
  ASSERT_TRUE(loaded.load_content(r.content()).ok());
  EXPECT_EQ(loaded.history[0].starts.size(), kWindows);
}

TEST(ReferenceCodec, RefusesWhatNoBuilderMakes) {
  const auto refused = [](const std::function<void(Reference&)>& change) {
    Reference r = small();
    change(r);
    return !load(r.content()).ok();
  };
  const auto field = [](Reference& r, std::size_t s) -> FieldProfile& { return r.segments[s].fields[0]; };
  EXPECT_FALSE(refused([](Reference&) {}));
  EXPECT_TRUE(refused([](Reference& r) { r.segments.clear(); }));
  EXPECT_TRUE(refused([&](Reference& r) { field(r, 1).name = "pressure"; }));
  EXPECT_TRUE(refused([&](Reference& r) { field(r, 1).bins.edges.back() += 1; })) << "segments on different bins";
  EXPECT_TRUE(refused([&](Reference& r) { field(r, 0).bin_counts[1] = -1; }));
  EXPECT_TRUE(refused([&](Reference& r) { field(r, 0).bin_counts[1] = 0.5; }));
  EXPECT_TRUE(refused([&](Reference& r) { field(r, 0).bin_counts[1] = 1e9; })) << "more than values";
  EXPECT_TRUE(refused([&](Reference& r) { field(r, 0).bin_sums[1] = INFINITY; }));
  EXPECT_TRUE(refused([&](Reference& r) { field(r, 0).moments.mean = std::nan(""); }));
  EXPECT_TRUE(refused([&](Reference& r) { field(r, 0).moments.m2 = -1; }));
  EXPECT_TRUE(refused([&](Reference& r) { field(r, 0).moments.n += 1; }));
  EXPECT_TRUE(refused([&](Reference& r) { field(r, 0).kind = FieldKind::kCategory; })) << "a category on numeric bins";
  EXPECT_TRUE(refused([](Reference& r) { r.history[0].values[0] = std::nan(""); }));
  EXPECT_TRUE(refused([](Reference& r) { r.history[0].starts[1] = r.history[0].starts[0]; })) << "windows that do not follow each other";
}

TEST(ReferenceCodec, ProfilesFallBackToTheStream) {
  const Reference r = small();
  EXPECT_EQ(r.profile({"site", "south"})->segment.value, "south");
  EXPECT_EQ(r.profile({"site", "east"})->segment, Segment{});
  EXPECT_EQ(r.field({}, "nothing"), nullptr);
  EXPECT_EQ(Reference().profile({}), nullptr);
}

}  // namespace
}  // namespace driftd::stats::reference_test
