// What windows are made of merges to the same as one pass, however the rows are cut.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "stats/panes.h"

namespace driftd::stats {
namespace {

// Numbers of a plant: some digits, some decades, both signs.
std::vector<double> any_values() {
  return *rc::gen::container<std::vector<double>>(
      rc::gen::map(rc::gen::pair(rc::gen::inRange(-100000, 100001), rc::gen::inRange(-6, 7)),
                   [](const std::pair<int, int>& v) { return v.first * std::pow(10.0, v.second); }));
}

std::string bytes_of(const LogHistogram& h) {
  ByteWriter out;
  h.save(out);
  return out.take();
}

class Layout {
 public:
  Layout() {
    bins_.kind = Bins::Kind::kQuantile;
    bins_.edges = {-1e6, -10, 0, 3, 1e4};
    PaneLayout::FieldPlan plan;
    plan.bins = &bins_;
    plan.sums = plan.quantiles = true;
    layout.fields = {plan};
    layout.checks = 1;
    layout.finish();
  }
  Block count(const std::vector<double>& values, std::size_t begin, std::size_t end) const {
    LevelPane pane(&layout);
    pane.slot(0);
    for (std::size_t i = begin; i < end; ++i) {
      const double x = values[i];
      pane.add_row(0);
      pane.cell(0, 0).add_number(x);
      pane.add_bin(0, layout.fields[0], bins_.bin_of(x));
      pane.add_sum(0, layout.fields[0], bins_.bin_of(x), x);
      pane.add_quantile(0, 0, x);
      if (x <= 1e4) continue;
      TallyCell& tally = pane.tally(0, 0);
      ++tally.failed;
      if (tally.first_time == kNoTime) {
        tally.first_time = static_cast<Time>(i);
        tally.first_position = static_cast<std::int64_t>(i);
      }
    }
    return pane.block(0, 0, SensorDictionary({}));
  }

  PaneLayout layout;

 private:
  Bins bins_;
};

void assert_same(const Block& a, const Block& b) {
  RC_ASSERT(a.rows == b.rows);
  RC_ASSERT(a.bins == b.bins);
  RC_ASSERT(bytes_of(a.quantiles[0]) == bytes_of(b.quantiles[0]));
  RC_ASSERT(a.tallies[0].failed == b.tallies[0].failed);
  RC_ASSERT(a.tallies[0].first.position == b.tallies[0].first.position);
  const Moments x = a.fields[0].moments(), y = b.fields[0].moments();
  RC_ASSERT(x.n == y.n && x.min == y.min && x.max == y.max);
  const double size = y.n == 0 ? 0 : std::fmax(std::fabs(y.min), std::fabs(y.max));
  const double n = static_cast<double>(y.n);
  RC_ASSERT(std::fabs(x.mean - y.mean) <= 1e-12 * size * (1 + n));
  RC_ASSERT(std::fabs(x.m2 - y.m2) <= 1e-11 * size * size * (1 + n));
  for (std::size_t i = 0; i < a.sums.size(); ++i) {
    RC_ASSERT(std::fabs(a.sums[i] - b.sums[i]) <= 1e-12 * size * (1 + n));
  }
}

RC_GTEST_PROP(Merge, PanesCutAnywhereAreOnePass, ()) {
  const Layout layout;
  const std::vector<double> values = any_values();
  Block merged = Block::zero(layout.layout);
  for (std::size_t at = 0; at < values.size();) {
    const std::size_t end = std::min(values.size(), at + *rc::gen::inRange<std::size_t>(1, 9));
    merged.merge(layout.count(values, at, end));
    at = end;
  }
  assert_same(merged, layout.count(values, 0, values.size()));
}

RC_GTEST_PROP(Merge, PanesAreAssociative, ()) {
  const Layout layout;
  const std::vector<double> a = any_values(), b = any_values(), c = any_values();
  const auto block = [&](const std::vector<double>& v) { return layout.count(v, 0, v.size()); };
  Block left = block(a), right = block(b), first = block(a);
  left.merge(block(b));
  left.merge(block(c));
  right.merge(block(c));
  first.merge(right);
  assert_same(left, first);
}

RC_GTEST_PROP(Merge, HistogramsDoNotDependOnTheOrder, ()) {
  const std::vector<double> values = any_values();
  const auto cut = *rc::gen::inRange<std::size_t>(0, values.size() + 1);
  LogHistogram whole, head, tail;
  for (std::size_t i = 0; i < values.size(); ++i) {
    whole.add(values[i]);
    (i < cut ? head : tail).add(values[i]);
  }
  LogHistogram forward = head, backward = tail;
  forward.merge(tail);
  backward.merge(head);
  RC_ASSERT(bytes_of(forward) == bytes_of(whole));
  RC_ASSERT(bytes_of(backward) == bytes_of(whole));
}

RC_GTEST_PROP(Merge, ABlockComesBackBitForBit, ()) {
  const Layout layout;
  const std::vector<double> values = any_values();
  ByteWriter out, again;
  layout.count(values, 0, values.size()).save(out);
  ByteReader in(out.bytes());
  Block loaded;
  RC_ASSERT(loaded.load(in, layout.layout).ok());
  loaded.save(again);
  RC_ASSERT(again.bytes() == out.bytes());
}

RC_GTEST_PROP(Merge, RandomBytesAreNoBlockOrExactlyWhatTheySay, (const std::string& bytes)) {
  const Layout layout;
  ByteReader in(bytes);
  Block loaded;
  const bool read = loaded.load(in, layout.layout).ok();
  ByteWriter again;
  if (read) loaded.save(again);
  RC_ASSERT(!read || bytes.substr(0, again.size()) == again.bytes());
}

}  // namespace
}  // namespace driftd::stats
