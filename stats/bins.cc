#include "stats/bins.h"

#include <array>
#include <cmath>

#include "core/text.h"

namespace driftd::stats {

void Bins::bins_of(std::span<const double> values, std::uint32_t* out) const {
  // A block of searches goes down together, one level at a time: none waits for another's
  // comparison, and none is a branch, which random values would make the processor guess wrong.
  constexpr std::size_t kBlock = 8;
  std::size_t done = 0;
  for (; done + kBlock <= values.size() && !edges.empty(); done += kBlock) {
    const double* x = values.data() + done;
    std::array<std::uint32_t, kBlock> at{};
    const auto step = [&](const double* probe, std::uint32_t size) {
      for (std::size_t i = 0; i < kBlock; ++i) {
        at[i] += size * static_cast<std::uint32_t>(probe[at[i]] < x[i]);
      }
    };
    auto left = static_cast<std::uint32_t>(edges.size());
    for (; left > 1; left -= left / 2) step(edges.data() + left / 2 - 1, left / 2);
    step(edges.data(), 1);
    std::copy(at.begin(), at.end(), out + done);
  }
  for (; done < values.size(); ++done) out[done] = bin_of(values[done]);
}

std::string Bins::label(std::uint32_t bin) const {
  if (!numeric()) return bin < categories.size() ? "'" + excerpt(categories[bin], 60) + "'" : "other";
  if (edges.empty()) return "all";
  if (bin == 0) return "<= " + format_number(edges.front());
  if (bin == edges.size()) return "> " + format_number(edges.back());
  return "(" + format_number(edges[bin - 1]) + ", " + format_number(edges[bin]) + "]";
}

void Bins::save(ByteWriter& out) const {
  out.u8(static_cast<std::uint8_t>(kind));
  out.u32(static_cast<std::uint32_t>(edges.size()));
  for (const double edge : edges) out.f64(edge);
  out.u32(static_cast<std::uint32_t>(categories.size()));
  for (const std::string& category : categories) out.str(category);
}

Status Bins::load(ByteReader& in) {
  const std::uint8_t k = in.u8();
  if (k > static_cast<std::uint8_t>(Kind::kCategory)) in.fail();
  kind = static_cast<Kind>(k);
  edges.resize(in.count(4096, 8));
  for (double& edge : edges) edge = in.f64();
  categories.resize(in.count(kMaxCategories, 4));
  for (std::string& category : categories) category = in.str(65536);
  bool ordered = numeric() ? categories.empty() : edges.empty();
  for (std::size_t i = 0; i < edges.size(); ++i) {
    ordered = ordered && std::isfinite(edges[i]) && (i == 0 || edges[i - 1] < edges[i]);
  }
  for (std::size_t i = 1; i < categories.size(); ++i) ordered = ordered && categories[i - 1] < categories[i];
  if (in.failed() || !ordered) return Error{ErrorCode::kCorrupt, "bins: damaged, mixed or not in order"};
  return {};
}

}  // namespace driftd::stats
