#include "stats/bins.h"

#include <array>
#include <cmath>

#include "core/text.h"

namespace driftd::stats {

void Bins::bins_of(std::span<const double> values, std::uint32_t* out) const {
  // A block of searches goes down together, one level at a time: none waits for another's
  // comparison, and none is a branch, which random values would make the processor guess wrong.
  constexpr std::size_t kBlock = 8;
  const auto search = [&](const double* x, std::uint32_t* to) {
    std::array<const double*, kBlock> at;
    at.fill(edges.data());
    const auto step = [&](std::size_t size) {
      for (std::size_t i = 0; i < kBlock; ++i) {
        const double* next = at[i] + size;
        // As likely as not: asks for a conditional move.
        at[i] = __builtin_expect_with_probability(next[-1] < x[i], 1, 0.5) ? next : at[i];
      }
    };
    std::size_t left = edges.size();
    for (; left > 1; left -= left / 2) step(left / 2);
    step(1);
    for (std::size_t i = 0; i < kBlock; ++i) {
      to[i] = static_cast<std::uint32_t>(at[i] - edges.data());
    }
  };
  const std::size_t n = values.size();
  if (edges.empty() || n < kBlock) {
    for (std::size_t i = 0; i < n; ++i) out[i] = bin_of(values[i]);
    return;
  }
  for (std::size_t i = 0; i + kBlock <= n; i += kBlock) search(values.data() + i, out + i);
  // The rest, and some before it once more.
  search(values.data() + n - kBlock, out + n - kBlock);
}

std::string Bins::label(std::uint32_t bin) const {
  if (!numeric()) return bin < categories.size() ? "'" + excerpt(categories[bin], 60) + "'" : "other";
  if (edges.empty()) return "all";
  // An edge just below the next one stands for that one, excluded.
  const auto ends_below = [&](std::size_t edge) {
    return edge + 1 < edges.size() && std::nextafter(edges[edge + 1], edges[edge]) == edges[edge];
  };
  if (bin == edges.size()) return "> " + format_number(edges.back());
  const bool open = ends_below(bin);
  if (bin > 0 && ends_below(bin - 1)) return format_number(edges[bin]);  // one value
  const std::string last = format_number(edges[open ? bin + 1 : bin]);
  if (bin == 0) return (open ? "< " : "<= ") + last;
  return "(" + format_number(edges[bin - 1]) + ", " + last + (open ? ")" : "]");
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
