#include "stats/kll.h"

#include <algorithm>
#include <cmath>

namespace driftd::stats {

Kll::Kll(std::uint32_t k) : k_(k), levels_(1) {}

std::size_t Kll::capacity(std::size_t level) const {
  const auto depth = static_cast<double>(levels_.size() - 1 - level);
  return std::max<std::size_t>(8, static_cast<std::size_t>(std::ceil(k_ * std::pow(2.0 / 3, depth))));
}

void Kll::add(double x) {
  ++n_;
  levels_[0].push_back(x);
  if (levels_[0].size() >= capacity(0)) compress();
}

void Kll::compress() {
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    if (levels_[i].size() < capacity(i)) continue;
    if (i + 1 == levels_.size()) levels_.emplace_back();
    std::vector<double>& from = levels_[i];
    std::vector<double>& to = levels_[i + 1];
    std::sort(from.begin(), from.end());
    // An odd one stays behind; of each pair one goes up, by a coin.
    const bool odd = from.size() % 2 != 0;
    const double left = odd ? from.back() : 0;
    coin_ = coin_ * 6364136223846793005ULL + 1442695040888963407ULL;
    for (std::size_t j = coin_ >> 63; j + (odd ? 1 : 0) < from.size(); j += 2) to.push_back(from[j]);
    from.clear();
    if (odd) from.push_back(left);
  }
}

std::vector<double> Kll::quantiles(const std::vector<double>& q) const {
  std::vector<std::pair<double, double>> weighted;
  double total = 0, weight = 1;
  for (const auto& level : levels_) {
    for (const double x : level) weighted.emplace_back(x, weight);
    total += weight * static_cast<double>(level.size());
    weight *= 2;
  }
  std::sort(weighted.begin(), weighted.end());
  std::vector<double> out;
  std::size_t at = 0;
  double below = weighted[0].second;
  for (const double wanted : q) {
    while (at + 1 < weighted.size() && below < wanted * total) below += weighted[++at].second;
    out.push_back(weighted[at].first);
  }
  return out;
}

double Kll::rank_error() const { return 2.296 / std::pow(k_, 0.9723); }

std::size_t Kll::retained() const {
  std::size_t n = 0;
  for (const auto& level : levels_) n += level.size();
  return n;
}

}  // namespace driftd::stats
