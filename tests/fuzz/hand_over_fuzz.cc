// What a shared store hands over: a byte of options, then rows of driftd_output and driftd_unit. What is believed of them
// goes into the merger as the driftd that judges the stream's windows puts it there; its state stays one that loads.
#include "app/engine/merger.h"
#include "app/run/hand_over_rows.h"
#include "core/text.h"
#include "tests/fuzz/stream_for_fuzz.h"

namespace {

using namespace driftd;

const std::vector<app::PlanEdition>& editions() {
  static const auto made = fuzz::two_editions();
  return made;
}

std::unique_ptr<app::Merger> merger(std::uint64_t& windows) {
  auto made = app::Merger::make(editions().front().plan, nullptr, [&windows](app::ClosedWindow closed) { windows += closed.windows; });
  FUZZ_CHECK(made.ok(), made.ok() ? "" : made.error().message);
  fuzz::adopt_rest(**made, editions());
  return std::move(*made);
}

// The columns of a row as texts; a length above what is left is NULL.
stats::MysqlSession::Row read_row(ByteReader& in, std::size_t columns) {
  stats::MysqlSession::Row row;
  for (std::size_t i = 0; i < columns; ++i) {
    const std::uint8_t size = in.u8();
    if (size == 0xff) {
      row.emplace_back();
      continue;
    }
    std::string text;
    for (std::uint8_t n = 0; n < size && !in.failed(); ++n) text += static_cast<char>(in.u8());
    row.emplace_back(std::move(text));
  }
  return row;
}

void check_stays_loadable(const app::Merger& merger_now) {
  std::uint64_t windows = 0;
  const auto again = merger(windows);
  const std::string once = fuzz::saved(merger_now);
  ByteReader in(once);
  const Status s = again->load(in);
  FUZZ_CHECK(s.ok(), "a merger that took this in cannot be loaded: " + (s.ok() ? "" : s.error().message));
  FUZZ_CHECK(fuzz::saved(*again) == once, "saved twice differs");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = fuzz::text_of(data, size);
  const bool put_right = (fuzz::take_byte(input) & 1) == 0;  // checksums
  std::uint64_t windows = 0;
  const auto leader = merger(windows);
  leader->hold(true);
  ByteReader in(input);
  while (in.left() > 0) {
    if (in.u8() % 2 == 0) {
      auto row = read_row(in, 6);
      std::string bytes = in.str();
      if (in.failed()) break;
      row.emplace_back(std::to_string(bytes.size()));
      if (put_right) row[5] = "0";
      auto output = app::output_of("all", row);
      if (!output) continue;
      output->what.output = std::move(bytes);
      if (put_right) output->crc = app::crc_of(output->what);
      if (!app::intact(*output)) continue;
      FUZZ_CHECK(output->what.end - kDay < output->what.end, "a time that overflows");
      const auto late = leader->take_stored(output->what.output);
      if (!late) FUZZ_CHECK(!late.error().message.empty(), "an error that says nothing");
    } else {
      const auto progress = app::progress_of("all", read_row(in, 6));
      if (!progress) continue;
      FUZZ_CHECK(progress->unread >= 0, "unread for less than no time");
      app::PartitionOutput told;
      told.partition = progress->what.partition;
      told.closed_until = progress->what.closed_until;
      told.warm_from = progress->what.warm_from;
      leader->take(std::move(told));
      leader->set_idle(progress->what.partition, progress->what.idle);
    }
  }
  check_stays_loadable(*leader);
  leader->set_partitions({0, 1});
  leader->hold(false);
  leader->set_idle(0, true);
  leader->set_idle(1, true);
  check_stays_loadable(*leader);
  return 0;
}
