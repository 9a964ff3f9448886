#include "stats/reference_builder.h"

#include <cmath>
#include <random>

#include "tests/stats/reference_fixture.h"

namespace driftd::stats::reference_test {
namespace {

std::vector<Row> random_rows(int n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(20, 3);
  static constexpr Cell kStates[] = {Cell::kMissing, Cell::kNull, Cell::kWrongType, Cell::kNotFinite};
  std::vector<Row> rows;
  for (int i = 0; i < n; ++i) {
    Row row{i * kSecond, normal(random), "s" + std::to_string(random() % 6)};
    if (random() % 8 == 0) row.temperature = kStates[random() % 4];
    if (random() % 8 == 0) row.status = kStates[random() % 3];
    row.site = random() % 3 == 0 ? "south" : "north";
    rows.push_back(row);
  }
  return rows;
}

// What the profile of `field` must be, from the rows of the segment, by the definitions.
void expect_naive(const FieldProfile& p, const std::vector<Row>& rows) {
  std::uint64_t cells[5] = {};
  std::vector<double> values, counts(p.bins.size()), sums(p.bins.size());
  for (const Row& row : rows) {
    const auto* cell = std::get_if<Cell>(&row.temperature);
    ++cells[cell != nullptr ? static_cast<std::size_t>(*cell) : 0];
    if (cell != nullptr) continue;
    const double x = std::get<double>(row.temperature);
    values.push_back(x);
    std::size_t b = 0;
    while (b < p.bins.edges.size() && x > p.bins.edges[b]) ++b;
    counts[b] += 1;
    sums[b] += x;
  }
  EXPECT_EQ(p.valid, cells[0]);
  EXPECT_EQ(p.missing, cells[1]);
  EXPECT_EQ(p.null, cells[2]);
  EXPECT_EQ(p.wrong_type, cells[3]);
  EXPECT_EQ(p.not_finite, cells[4]);
  EXPECT_EQ(p.bin_counts, counts);
  ASSERT_EQ(p.bin_sums.size(), sums.size());
  for (std::size_t b = 0; b < sums.size(); ++b) EXPECT_NEAR(p.bin_sums[b], sums[b], 1e-9) << b;
  long double mean = 0, m2 = 0;
  for (const double x : values) mean += x / static_cast<long double>(values.size());
  for (const double x : values) m2 += (x - mean) * (x - mean);
  EXPECT_EQ(p.moments.n, values.size());
  EXPECT_NEAR(p.moments.mean, static_cast<double>(mean), 1e-11);
  EXPECT_NEAR(p.moments.m2, static_cast<double>(m2), 1e-8);
  EXPECT_EQ(p.moments.min, *std::min_element(values.begin(), values.end()));
  EXPECT_EQ(p.moments.max, *std::max_element(values.begin(), values.end()));
}

TEST(ReferenceBuilder, ProfilesEqualANaiveComputationInEverySegment) {
  const std::vector<Row> rows = random_rows(3000, 1);
  const Reference r = build(rows, 5 * kMinute);
  ASSERT_EQ(r.segments.size(), 3U);
  EXPECT_EQ(r.segments[0].segment, Segment{}) << "the stream comes first";
  for (const SegmentProfile& s : r.segments) {
    std::vector<Row> own;
    for (const Row& row : rows) {
      if (s.segment.by == "stream" || row.site == s.segment.value) own.push_back(row);
    }
    EXPECT_EQ(s.rows, own.size());
    ASSERT_EQ(s.fields.size(), schema().fields.size());
    expect_naive(s.fields[0], own);
    EXPECT_EQ(s.fields[0].bins.kind, Bins::Kind::kQuantile);
    EXPECT_EQ(s.fields[0].bins.edges, r.segments[0].fields[0].bins.edges);
    for (std::size_t c = 0; c < 6; ++c) {
      const double n = static_cast<double>(
          std::count_if(own.begin(), own.end(), [&](const Row& x) { return x.status == decltype(x.status)("s" + std::to_string(c)); }));
      EXPECT_EQ(s.fields[1].bin_counts[c], n);
    }
    EXPECT_EQ(s.fields[1].bin_counts[6], 0) << "nothing is 'other'";
    EXPECT_EQ(s.fields[3].bins.size(), 1U) << "free text has no bins";
    EXPECT_EQ(s.fields[3].valid, own.size());
  }
}

TEST(ReferenceBuilder, HistoryHasOneNumberAWindow) {
  const std::vector<Row> rows = random_rows(600, 2);
  const Reference r = build(rows, kMinute);
  for (const Segment& segment : {Segment{}, Segment{"site", "south"}}) {
    const History* count = history_of(r, segment, "", "count");
    const History* mean = history_of(r, segment, "temperature", "mean");
    const History* nulls = history_of(r, segment, "temperature", "null_share");
    const History* largest = history_of(r, segment, "temperature", "max");
    const History* total = history_of(r, segment, "temperature", "sum");
    ASSERT_TRUE(count && mean && nulls && largest && total);
    ASSERT_EQ(total->values.size(), 10U);
    ASSERT_EQ(count->values.size(), 10U);
    for (std::size_t w = 0; w < 10; ++w) {
      EXPECT_EQ(count->starts[w], static_cast<Time>(w) * kMinute);
      double n = 0, sum = 0, valid = 0, empty = 0, most = -1e9;
      for (const Row& row : rows) {
        if (floor_to(row.time, kMinute) != count->starts[w]) continue;
        if (segment.by == "site" && row.site != segment.value) continue;
        ++n;
        if (const auto* x = std::get_if<double>(&row.temperature)) {
          ++valid;
          sum += *x;
          most = std::max(most, *x);
        } else {
          const Cell c = std::get<Cell>(row.temperature);
          empty += c == Cell::kWrongType ? 0 : 1;  // as the check null_share
        }
      }
      EXPECT_EQ(count->values[w], n);
      EXPECT_NEAR(mean->values[w], sum / valid, 1e-10);
      EXPECT_DOUBLE_EQ(nulls->values[w], empty / n);
      EXPECT_EQ(largest->values[w], most);
      EXPECT_NEAR(total->values[w], sum, 1e-8);
    }
  }
}

TEST(ReferenceBuilder, HistoryOfQuantilesIsTheNearestRankWithinHalfAPercent) {
  const std::vector<Row> rows = random_rows(600, 2);
  const Reference r = build(rows, kMinute);
  for (const auto& [name, q] : {std::pair("quantile.0.05", 0.05),
                                {"quantile.0.25", 0.25},
                                {"quantile.0.5", 0.5},
                                {"quantile.0.75", 0.75},
                                {"quantile.0.95", 0.95}}) {
    const History* history = history_of(r, {}, "temperature", name);
    ASSERT_NE(history, nullptr) << name;
    ASSERT_EQ(history->values.size(), 10U);
    for (std::size_t w = 0; w < 10; ++w) {
      std::vector<double> values;
      for (const Row& row : rows) {
        const auto* x = std::get_if<double>(&row.temperature);
        if (x != nullptr && floor_to(row.time, kMinute) == history->starts[w]) values.push_back(*x);
      }
      std::sort(values.begin(), values.end());
      const double exact = values[static_cast<std::size_t>(std::ceil(q * static_cast<double>(values.size()))) - 1];
      EXPECT_NEAR(history->values[w], exact, 0.005 * exact) << name << ", window " << w;
    }
  }
  EXPECT_EQ(history_of(r, {}, "status", "quantile.0.5"), nullptr);
}

TEST(ReferenceBuilder, HistoryOfADistanceIsThatOfTheWindowAgainstTheWhole) {
  const std::vector<Row> rows = random_rows(600, 3);
  const Reference r = build(rows, kMinute);
  const History* ks = history_of(r, {}, "temperature", "distance.ks");
  ASSERT_NE(ks, nullptr);
  ASSERT_EQ(ks->values.size(), 10U);
  const FieldProfile& whole = r.segments[0].fields[0];
  for (std::size_t w = 0; w < 10; ++w) {
    double expected = 0;
    for (const double edge : whole.bins.edges) {
      double below = 0, n = 0, below_all = 0, all = 0;
      for (const Row& row : rows) {
        const auto* x = std::get_if<double>(&row.temperature);
        if (x == nullptr) continue;
        ++all;
        below_all += *x <= edge ? 1 : 0;
        if (floor_to(row.time, kMinute) != ks->starts[w]) continue;
        ++n;
        below += *x <= edge ? 1 : 0;
      }
      expected = std::max(expected, std::fabs(below / n - below_all / all));
    }
    EXPECT_NEAR(ks->values[w], expected, 1e-12);
  }
  // Every metric that is defined here has a history, none of them with a number that is not finite.
  EXPECT_NE(history_of(r, {}, "status", "distance.psi"), nullptr);
  EXPECT_EQ(history_of(r, {}, "status", "distance.ks"), nullptr) << "categories have no order";
  EXPECT_EQ(history_of(r, {}, "note", "distance.psi"), nullptr);
  for (const History& h : r.history) {
    EXPECT_TRUE(std::is_sorted(h.starts.begin(), h.starts.end()));
    EXPECT_EQ(h.starts.size(), h.values.size());
    for (const double v : h.values) EXPECT_TRUE(std::isfinite(v)) << h.statistic;
  }
}

TEST(ReferenceBuilder, AConstantIsFarFromNothing) {
  std::vector<Row> rows;
  for (int i = 0; i < 300; ++i) rows.push_back({i * kSecond, 21.5, "on"});
  const Reference r = build(rows);
  const FieldProfile& p = r.segments[0].fields[0];
  EXPECT_EQ(p.bins.size(), 3U);
  EXPECT_EQ(p.bin_counts, (std::vector<double>{0, 300, 0}));
  EXPECT_EQ(p.moments.stddev(), 0);
  for (const char* metric : {"psi", "ks", "jensen_shannon", "wasserstein", "energy"}) {
    const History* h = history_of(r, {}, "temperature", std::string("distance.") + metric);
    ASSERT_NE(h, nullptr) << metric;
    for (const double v : h->values) EXPECT_EQ(v, 0) << metric;
  }
}

TEST(ReferenceBuilder, AFieldWithoutAValueIsKeptAsSuch) {
  std::vector<Row> rows;
  for (int i = 0; i < 120; ++i) rows.push_back({i * kSecond, Cell::kNull, "on"});
  const Reference r = build(rows);
  const FieldProfile& p = r.segments[0].fields[0];
  EXPECT_EQ(p.valid, 0U);
  EXPECT_EQ(p.null, 120U);
  EXPECT_EQ(p.bins.size(), 1U);
  EXPECT_EQ(p.bin_counts, (std::vector<double>{0}));
  EXPECT_EQ(history_of(r, {}, "temperature", "mean"), nullptr);
  EXPECT_EQ(history_of(r, {}, "temperature", "null_share")->values, (std::vector<double>{1, 1}));
}

TEST(ReferenceBuilder, CategoriesOverTheCapCountAsOther) {
  std::vector<Row> rows;
  for (std::uint32_t i = 0; i < kMaxCategories + 20; ++i) {
    rows.push_back({0, 1.0, "c" + std::to_string(i)});
  }
  rows.push_back({0, 1.0, std::string(kMaxCategoryBytes, 'x')});
  rows.push_back({0, 1.0, std::string(kMaxCategoryBytes + 1, 'x')});
  const Reference r = build(rows);
  const FieldProfile& p = r.segments[0].fields[1];
  EXPECT_EQ(p.bins.size(), kMaxCategories);
  EXPECT_EQ(p.bin_counts.back(), static_cast<double>(rows.size() - (kMaxCategories - 1)));
  double sum = 0;
  for (const double c : p.bin_counts) sum += c;
  EXPECT_EQ(sum, static_cast<double>(p.valid));
  Reference loaded;
  EXPECT_TRUE(loaded.load_content(r.content()).ok());
}

TEST(ReferenceBuilder, NumbersWhoseSumsOverflowLeaveAReferenceThatCanBeRead) {
  std::vector<Row> rows;
  for (int i = 0; i < 200; ++i) rows.push_back({i * kSecond, i % 2 == 0 ? 1.7e308 : -1.7e308, "on"});
  rows.push_back({0, std::numeric_limits<double>::lowest(), "on"});
  rows.push_back({0, std::numeric_limits<double>::max(), "on"});
  const Reference r = build(rows);
  Reference loaded;
  ASSERT_TRUE(loaded.load_content(r.content()).ok());
  EXPECT_EQ(loaded.content(), r.content());
  const FieldProfile& p = r.segments[0].fields[0];
  EXPECT_EQ(p.bin_counts, (std::vector<double>{1, 0, 100, 0, 100, 0, 1, 0})) << "masses are exact all the same";
  EXPECT_TRUE(p.bin_sums.empty()) << "not known";
  EXPECT_EQ(p.moments.n, 0U) << "not known";
}

TEST(ReferenceBuilder, RefusesToBuildFromNothing) {
  const auto none = try_build({});
  ASSERT_FALSE(none.ok());
  EXPECT_NE(none.error().message.find("no usable record"), std::string::npos);
}

TEST(ReferenceBuilder, TheSameRecordsHaveTheSameHash) {
  const Reference a = build(some_rows()), b = build(some_rows()), c = build(some_rows(0.25));
  EXPECT_EQ(a.hash.size(), 64U);
  EXPECT_EQ(a.hash, b.hash);
  EXPECT_NE(a.hash, c.hash);
  EXPECT_NE(a.hash, build(some_rows(), 30 * kSecond).hash) << "the windows are part of the content";
}

TEST(ReferenceBuilder, WindowsOfSensorsAreLeftOut) {
  ReferenceBuilder builder(schema(), kMinute);
  builder.freeze();
  Window w;
  w.rows = 5;
  w.segment = {"sensor", "a"};
  w.fields.resize(schema().fields.size());
  builder.add_window(w);
  EXPECT_FALSE(builder.finish("x", {}).ok());
}

TEST(ReferenceBuilder, NothingIsLearntFromCountersThatHoldNoMore) {
  for (const std::uint64_t rows : {kUncounted - 1ULL, kUncounted + 0ULL}) {
    ReferenceBuilder builder(schema(), kMinute);
    builder.freeze();
    Window w;
    w.rows = rows;
    w.fields.resize(schema().fields.size());
    builder.add_window(w);
    EXPECT_EQ(builder.finish("x", {}).ok(), rows < kUncounted);
  }
}

}  // namespace
}  // namespace driftd::stats::reference_test
