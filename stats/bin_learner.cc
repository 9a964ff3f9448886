#include "stats/bin_learner.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace driftd::stats {
namespace {

// More distinct categories than this in a reference: new ones are no longer told apart while learning.
constexpr std::size_t kMaxLearned = 65536;

// Ends the bin before x's own. Below the least double, a favourite of those who mean "no value", is
// nothing to end; nor is there between two neighbouring doubles.
void add_edge_below(double x, std::vector<double>& edges) {
  constexpr double kLeast = std::numeric_limits<double>::lowest();
  if (x == kLeast) return;
  const double below = std::nextafter(x, kLeast);
  if (edges.empty() || edges.back() != below) edges.push_back(below);
}

}  // namespace

void BinLearner::add(double x) {
  x += 0.0;  // -0 is 0
  if (sketch_.n() == 0) min_ = max_ = x;
  min_ = std::min(min_, x);
  max_ = std::max(max_, x);
  sketch_.add(x);
  if (many_) return;
  ++values_[x];
  if (values_.size() <= kMaxValues) return;
  many_ = true;
  values_.clear();
}

void BinLearner::add(std::string_view text) {
  const auto it = categories_.find(text);
  if (it != categories_.end()) {
    ++it->second;
  } else if (categories_.size() < kMaxLearned) {
    categories_.emplace(text, 1);
  }
}

Bins BinLearner::learn() const {
  Bins bins;
  if (kind_ == FieldKind::kCategory) {
    bins.kind = Bins::Kind::kCategory;
    std::vector<std::pair<std::uint64_t, std::string>> counted;
    for (const auto& [text, n] : categories_) counted.emplace_back(n, text);
    std::sort(counted.begin(), counted.end(),
              [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
    if (counted.size() >= kMaxCategories) counted.resize(kMaxCategories - 1);
    for (auto& [n, text] : counted) bins.categories.push_back(std::move(text));
    std::sort(bins.categories.begin(), bins.categories.end());
    return bins;
  }
  if (sketch_.n() == 0) return bins;
  if (many_) return quantile_bins();
  bins.kind = Bins::Kind::kValue;
  for (const auto& [value, n] : values_) {
    add_edge_below(value, bins.edges);
    bins.edges.push_back(value);
  }
  return bins;
}

Bins BinLearner::quantile_bins() const {
  std::vector<double> q = {0.001, 0.005, 0.01, 0.99, 0.995, 0.999};
  for (std::uint32_t b = 1; b < kQuantileBins; ++b) q.push_back(static_cast<double>(b) / kQuantileBins);
  std::sort(q.begin(), q.end());
  const std::vector<double> cuts = sketch_.quantiles(q);
  Bins bins;
  bins.kind = Bins::Kind::kQuantile;
  bins.edges = {max_};
  add_edge_below(min_, bins.edges);
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    bins.edges.push_back(cuts[i]);
    // The same value at two cuts of the body holds more than a bin's mass: a bin of its own.
    const bool body = q[i] > 0.01 && q[i] < 0.99;
    if (body && i > 0 && cuts[i] == cuts[i - 1]) add_edge_below(cuts[i], bins.edges);
  }
  std::sort(bins.edges.begin(), bins.edges.end());
  bins.edges.erase(std::unique(bins.edges.begin(), bins.edges.end()), bins.edges.end());
  return bins;
}

}  // namespace driftd::stats
