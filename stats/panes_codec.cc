// How panes and blocks are stored; docs/FORMATS.md, "Checkpoint".
#include "stats/panes.h"

#include <algorithm>

namespace driftd::stats {
namespace {

constexpr std::uint32_t kMaxCells = 1U << 31;

void save_cell(ByteWriter& out, const FieldCell& cell) {
  for (const std::uint32_t c : cell.cells) out.u32(c);
  for (const double v : {cell.mean, cell.m2, cell.min, cell.max}) out.f64(v);
}

FieldCell load_cell(ByteReader& in) {
  FieldCell cell;
  for (std::uint32_t& c : cell.cells) c = in.u32();
  for (double* v : {&cell.mean, &cell.m2, &cell.min, &cell.max}) *v = in.f64();
  return cell;
}

void save_tally(ByteWriter& out, const TallyCell& t) {
  out.u32(t.failed);
  out.u32(t.skipped);
  out.f64(t.worst);
  out.i64(t.first_time);
  out.i64(t.first_position);
  out.f64(t.first_value);
  out.u32(t.first_sensor);
}

TallyCell load_tally(ByteReader& in) {
  TallyCell t;
  t.failed = in.u32();
  t.skipped = in.u32();
  t.worst = in.f64();
  t.first_time = in.time();
  t.first_position = in.i64();
  t.first_value = in.f64();
  t.first_sensor = in.u32();
  return t;
}

Status damaged(const char* what) { return Error{ErrorCode::kCorrupt, std::string(what) + ": damaged"}; }

}  // namespace

void Block::save(ByteWriter& out) const {
  out.u64(rows);
  out.u64(late);
  out.u32(static_cast<std::uint32_t>(fields.size()));
  for (const FieldCell& cell : fields) save_cell(out, cell);
  for (const std::uint32_t b : bins) out.u32(b);
  for (const double s : sums) out.f64(s);
  for (const LogHistogram& q : quantiles) q.save(out);
  for (const Tally& t : tallies) {
    out.u64(t.failed);
    out.u64(t.skipped);
    out.f64(t.worst);
    out.boolean(t.first.set);
    out.i64(t.first.time);
    out.u32(t.first.partition);
    out.i64(t.first.position);
    out.f64(t.first.value);
    out.str(t.first.sensor);
  }
}

Status Block::load(ByteReader& in, const PaneLayout& layout) {
  *this = Block();
  rows = in.u64();
  late = in.u64();
  const std::uint32_t n = in.count(65536, 52);
  if (n != layout.fields.size()) return damaged("window block");
  for (std::uint32_t i = 0; i < n; ++i) fields.push_back(load_cell(in));
  if (in.left() < layout.bins * 4ULL + layout.sums * 8ULL) return damaged("window block");
  for (std::uint32_t i = 0; i < layout.bins; ++i) bins.push_back(in.u32());
  for (std::uint32_t i = 0; i < layout.sums; ++i) sums.push_back(in.f64());
  if (layout.quantiles) {
    quantiles.resize(n);
    for (LogHistogram& q : quantiles) {
      if (const Status s = q.load(in); !s) return s;
    }
  }
  tallies.resize(layout.checks);
  for (Tally& t : tallies) {
    t.failed = in.u64();
    t.skipped = in.u64();
    t.worst = in.f64();
    t.first.set = in.boolean();
    t.first.time = in.time();
    t.first.partition = in.u32();
    t.first.position = in.i64();
    t.first.value = in.f64();
    t.first.sensor = in.str(4096);
  }
  return in.failed() ? damaged("window block") : Status();
}

void LevelPane::save(ByteWriter& out) const {
  out.u32(slots());
  for (const std::uint32_t segment : segments_) out.u32(segment);
  for (const std::uint32_t rows : rows_) out.u32(rows);
  for (const FieldCell& cell : cells_) save_cell(out, cell);
  for (const std::uint32_t b : bins_) out.u32(b);
  for (const double s : sums_) out.f64(s);
  for (const LogHistogram& q : quantiles_) q.save(out);
  for (const std::uint32_t at : tally_of_) out.u32(at);
  out.u32(static_cast<std::uint32_t>(tallies_.size()));
  for (const TallyCell& t : tallies_) save_tally(out, t);
}

Status LevelPane::load(ByteReader& in, std::uint32_t segment_cap) {
  clear();
  // Least bytes of a slot, so that a damaged count makes no slots for which nothing is there.
  const std::size_t width =
      8 + layout_->fields.size() * (layout_->quantiles ? 56 : 52) + layout_->bins * 4ULL + layout_->sums * 8ULL + layout_->checks * 4ULL;
  const std::uint32_t n = in.count(kMaxCells, width);
  std::vector<std::uint32_t> wanted(n);
  for (std::uint32_t& segment : wanted) segment = in.u32();
  for (const std::uint32_t segment : wanted) {
    if (segment >= segment_cap || (segment < slot_of_.size() && slot_of_[segment] != 0)) return damaged("pane");
    if (in.failed()) break;
    make_slot(segment);
  }
  for (std::uint32_t& rows : rows_) rows = in.u32();
  for (FieldCell& cell : cells_) cell = load_cell(in);
  for (std::uint32_t& b : bins_) b = in.u32();
  for (double& s : sums_) s = in.f64();
  for (LogHistogram& q : quantiles_) {
    if (const Status s = q.load(in); !s) return s;
  }
  for (std::uint32_t& at : tally_of_) at = in.u32();
  tallies_.resize(in.count(kMaxCells, 44));
  for (TallyCell& t : tallies_) t = load_tally(in);
  std::vector<bool> owned(tallies_.size());  // each by one slot and check
  for (const std::uint32_t at : tally_of_) {
    if (at == 0) continue;
    if (at > owned.size() || owned[at - 1]) return damaged("pane");
    owned[at - 1] = true;
  }
  if (std::find(owned.begin(), owned.end(), false) != owned.end()) in.fail();
  return in.failed() ? damaged("pane") : Status();
}

}  // namespace driftd::stats
