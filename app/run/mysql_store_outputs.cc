// What partitions hand over to the driftd that leads the stream: a row each output, its bytes in chunks.
#include <algorithm>

#include "app/run/mysql_store.h"

namespace driftd::app {
namespace {

using stats::MysqlSession;

// Read, or deleted, with one statement.
constexpr std::size_t kMostIds = 1000;
constexpr std::size_t kMostBytes = 8U << 20;  // but one output at least

// "(1,2,3)", of at most kMostIds from `begin` on; `begin` is behind them then.
std::string next_ids(std::vector<std::int64_t>::const_iterator& begin, std::vector<std::int64_t>::const_iterator end) {
  std::string out;
  for (std::size_t n = 0; n < kMostIds && begin != end; ++n, ++begin) out += (out.empty() ? "(" : ",") + std::to_string(*begin);
  return out + ")";
}

// Up to where no window waits for a partition that has not closed it.
Time closed_by_all(const MysqlStore::Room& room, const std::vector<HandOverProgress>& progress, const std::string& hash) {
  Time until = room.closed_here;
  for (const HandOverProgress& p : progress) {
    if (room.all_of.count(p.partition) != 0) continue;
    if (p.config_hash != hash) return kNoTime;
    if (!p.idle) until = std::min(until, p.closed_until);
  }
  return until;
}

}  // namespace

Status MysqlStore::hand_over(const HandOver& what) {
  const std::scoped_lock lock(mutex_);
  return transact([&] { return put_handed_over(what, {}); });
}

// Of partitions that are fenced nothing: a window that the clock has closed here may be another one there.
Status MysqlStore::put_handed_over(const HandOver& what, const std::vector<Key>& fenced) {
  for (const HandedOver& output : what.outputs) {
    if (std::find(fenced.begin(), fenced.end(), Key{output.stream, output.partition}) != fenced.end()) continue;
    if (const Status s = put_output(output); !s) return s;
  }
  for (const HandOverProgress& p : what.progress) {
    const auto epoch = epochs_.find({p.stream, p.partition});
    const auto done = session_->execute(
        "UPDATE driftd_unit SET closed_until=" + std::to_string(p.closed_until) + ", warm_from=" + std::to_string(p.warm_from) +
        ", idle=" + (p.idle ? "1" : "0") + ", told_hash=" + session_->quote(p.config_hash) + where(p.stream, p.partition) +
        " AND owner=" + session_->quote(instance_) + " AND epoch=" + std::to_string(epoch == epochs_.end() ? -1 : epoch->second));
    if (!done) return done.error();
  }
  return {};
}

Status MysqlStore::put_output(const HandedOver& o) {
  const auto made = session_->execute(
      "INSERT IGNORE INTO driftd_output(stream, part, window_end, config_hash, reference, crc, size) VALUES(" + session_->quote(o.stream) +
      "," + std::to_string(o.partition) + "," + std::to_string(o.end) + "," + session_->quote(o.config_hash) + "," +
      session_->quote(o.reference) + "," + std::to_string(crc_of(o)) + "," + std::to_string(o.output.size()) + ")");
  if (!made) return made.error();
  if (*made == 0) return {};  // it is there already, and its chunks with it
  std::size_t chunk = 0;
  for (std::size_t at = 0; at < o.output.size(); at += kChunk, ++chunk) {
    const auto done = session_->execute("INSERT INTO driftd_output_chunk VALUES(LAST_INSERT_ID()," + std::to_string(chunk) + "," +
                                        session_->quote(std::string_view(o.output).substr(at, kChunk)) + ")");
    if (!done) return done.error();
  }
  return {};
}

Status MysqlStore::delete_outputs(const std::vector<std::int64_t>& ids) {
  for (auto it = ids.begin(); it != ids.end();) {
    const std::string these = next_ids(it, ids.end());
    for (const char* table : {"driftd_output", "driftd_output_chunk"}) {
      const auto done = session_->execute(std::string("DELETE FROM ") + table + " WHERE id IN " + these);
      if (!done) return done.error();
    }
  }
  return {};
}

Result<MysqlStore::News> MysqlStore::news(const std::string& stream, const std::string& hash, const std::set<std::int64_t>& known,
                                          const Room& room) {
  const std::scoped_lock lock(mutex_);
  News news;
  const Status done = look([&]() -> Status {
    const std::string of_stream = " WHERE stream=" + session_->quote(stream);
    const auto rows = session_->query(std::string("SELECT ") + kProgressColumns + " FROM driftd_unit" + of_stream +
                                      " AND scope='' AND part>=0 ORDER BY part");
    if (!rows) return rows.error();
    for (const auto& row : *rows) {
      auto progress = progress_of(stream, row);
      if (!progress) return progress.error();
      news.unread[progress->what.partition] = progress->unread;
      news.progress.push_back(std::move(progress->what));
    }
    const auto fresh = new_outputs(stream, hash, known, room, news);
    if (!fresh) return fresh.error();
    for (auto it = fresh->cbegin(); it != fresh->cend();) {
      if (const Status s = read_outputs(stream, next_ids(it, fresh->cend()), news.outputs); !s) return s;
    }
    return {};
  });
  if (!done) return done.error();
  return news;
}

// Of each partition in the order of its windows. Of a window all or nothing, so that one number says what is left.
Result<std::vector<std::int64_t>> MysqlStore::new_outputs(const std::string& stream, const std::string& hash,
                                                          const std::set<std::int64_t>& known, const Room& room, News& news) {
  const auto rows =
      session_->query("SELECT id, part, window_end, size, config_hash FROM driftd_output WHERE stream=" + session_->quote(stream) +
                      " ORDER BY window_end, part, id");
  if (!rows) return rows.error();
  std::set<std::uint32_t> have_told;
  for (const HandOverProgress& p : news.progress) {
    if (p.config_hash == hash) have_told.insert(p.partition);
  }
  const Time done_until = std::max(room.oldest, closed_by_all(room, news.progress, hash));
  std::vector<std::int64_t> fresh, of_window;
  std::set<std::uint32_t> parts;
  std::uint64_t bytes = 0;
  bool none = true;
  for (std::size_t begin = 0, end = 0; begin < rows->size(); begin = end) {
    const Time window = MysqlSession::integer((*rows)[begin][2]);
    of_window.clear();
    parts.clear();
    for (; end < rows->size() && MysqlSession::integer((*rows)[end][2]) == window; ++end) {
      const auto& row = (*rows)[end];
      const std::int64_t id = MysqlSession::integer(row[0]);
      const auto part = static_cast<std::uint32_t>(MysqlSession::integer(row[1]));
      if (known.count(id) != 0) continue;
      if (row[4] != hash) {
        if (have_told.count(part) != 0) news.of_before.push_back(id);
      } else if (room.all_of.count(part) != 0) {
        fresh.push_back(id);
      } else {
        of_window.push_back(id);
        parts.insert(part);
        bytes += static_cast<std::uint64_t>(MysqlSession::integer(row[3]));
      }
    }
    if (of_window.empty()) continue;
    const bool done = window <= done_until;
    const bool first = none && (done || room.oldest == kNoTime);
    if (!news.complete_until && (first || bytes <= (done ? room.at_once : room.bytes))) {
      fresh.insert(fresh.end(), of_window.begin(), of_window.end());
      none = false;
    } else {
      news.complete_until = std::min(news.complete_until.value_or(window - 1), window - 1);
      news.left_of.insert(parts.begin(), parts.end());
    }
  }
  return fresh;
}

Status MysqlStore::read_outputs(const std::string& stream, const std::string& ids, std::vector<Output>& outputs) {
  // What there is of each is known before any of it is read: a chunk too many takes no memory.
  const auto rows = session_->query(std::string("SELECT ") + kOutputColumns +
                                    ", (SELECT SUM(LENGTH(bytes)) FROM driftd_output_chunk c WHERE c.id=o.id) FROM driftd_output o "
                                    "WHERE id IN " +
                                    ids + " ORDER BY part, window_end, id");
  if (!rows) return rows.error();
  const std::size_t first = outputs.size();
  for (const auto& row : *rows) {
    auto output = output_of(stream, row);
    if (!output) return output.error();
    const std::int64_t stored = MysqlSession::integer(row.back());
    if (stored != static_cast<std::int64_t>(output->size)) {
      return damaged(*output, "its chunks have " + std::to_string(stored) + " bytes, not " + std::to_string(output->size));
    }
    outputs.push_back(std::move(*output));
  }
  for (std::size_t begin = first, end = first; begin < outputs.size(); begin = end) {
    std::size_t bytes = 0;
    do {
      bytes += outputs[end++].size;
    } while (end < outputs.size() && bytes + outputs[end].size <= kMostBytes);
    if (const Status s = read_chunks(outputs, begin, end); !s) return s;
  }
  for (std::size_t i = first; i < outputs.size(); ++i) {
    if (const Status s = intact(outputs[i]); !s) return s;
  }
  return {};
}

// Of outputs[begin] up to outputs[end].
Status MysqlStore::read_chunks(std::vector<Output>& outputs, std::size_t begin, std::size_t end) {
  std::map<std::int64_t, std::string*> bytes;
  std::string ids;
  for (std::size_t i = begin; i < end; ++i) {
    bytes[outputs[i].id] = &outputs[i].what.output;
    ids += (ids.empty() ? "" : ",") + std::to_string(outputs[i].id);
  }
  const auto chunks = session_->query("SELECT id, bytes FROM driftd_output_chunk WHERE id IN (" + ids + ") ORDER BY id, chunk");
  if (!chunks) return chunks.error();
  for (const auto& chunk : *chunks) *bytes.at(MysqlSession::integer(chunk[0])) += chunk[1].value_or("");
  return {};
}

}  // namespace driftd::app
