// MqttSession: what driftd remembers about its session with a broker, in a small file, so that a
// broker that forgot the session (and the messages it kept) is noticed, topics that are no
// longer asked for are unsubscribed, and what was journaled in a session before is not taken for
// what this one may send again. Thread-safety: none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"

namespace driftd::ingest {

class MqttSession {
 public:
  // `path` need not exist. What belongs to another client id or broker is forgotten.
  MqttSession(std::string path, std::string client_id, std::string broker);

  bool expected() const { return !topics_.empty(); }
  const std::vector<std::string>& topics() const { return topics_; }
  // Where the journal ended when the session began; 0: not known, as it was begun by an older driftd.
  std::int64_t begin() const { return begin_; }
  // The broker has no session of ours, or it is another one's: a new one begins. Durable when it returns; if it fails, known until
  // driftd ends.
  Status begun(std::int64_t journal_end);
  // The broker confirmed these subscriptions. Durable when it returns.
  Status subscribed(const std::vector<std::string>& topics);

 private:
  Status write(const std::vector<std::string>& topics) const;

  std::string path_;
  std::string identity_;  // the file's first line, with " from " and begin_ behind it; one topic a line follows
  std::int64_t begin_ = 0;
  std::vector<std::string> topics_;
};

}  // namespace driftd::ingest
