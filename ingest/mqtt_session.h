// MqttSession: what driftd remembers about its session with a broker, in a small file, so that a
// broker that forgot the session (and the messages it kept) is noticed, and topics that are no
// longer asked for are unsubscribed. Thread-safety: none.
#pragma once

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
  // The broker confirmed these subscriptions. Durable when it returns.
  Status subscribed(const std::vector<std::string>& topics);

 private:
  std::string path_;
  std::string identity_;  // the file's first line; one topic a line follows
  std::vector<std::string> topics_;
};

}  // namespace driftd::ingest
