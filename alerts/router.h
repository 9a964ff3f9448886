// Router: which receiver is told about which alert, and what goes into one message.
//
// Every route that matches an alert applies; a receiver named by several is told once. Without
// routes every receiver is told everything. An alert matches by what it has been about since it
// started, so who was told that it fires is also told that it ends, even when its severity rose in
// between; who matches only since an update is told that it fires.
//
// Pure: the same events give the same messages with the same ids, so what is computed again after a
// crash is recognised by the outbox. Thread-safety: const calls from any thread.
#pragma once

#include <string>
#include <vector>

#include "alerts/alert_book.h"
#include "alerts/notifier.h"

namespace driftd::alerts {

// Empty lists match everything; within a list one match is enough, all lists must match.
struct Route {
  std::vector<Severity> severities = {};
  std::vector<FindingKind> kinds = {};
  std::vector<std::string> streams = {};
  std::vector<std::string> segments = {};  // "site", "site=a", "stream", "sensor", "sensor=s1"
  std::vector<std::string> checks = {};    // any of the checks that failed
  std::vector<std::string> fields = {};    // of those checks
  std::vector<std::string> to = {};
};

enum class Takes {
  kMessages,   // each message once
  kState,      // what fires, again and again; only the end of an alert is a message
  kRetraining  // retrain requests only
};

struct ReceiverInfo {
  std::string name;
  Takes takes = Takes::kMessages;
};
Takes takes(const Notifier& notifier);

// A message on its way to the outbox.
struct Outgoing {
  std::string receiver;
  Message message;  // with its id; created_at is set by the outbox
};

class Router {
 public:
  // `group_by`: which of stream, segment, kind, check, field one message's alerts have in common.
  Router(std::vector<Route> routes, std::vector<std::string> group_by, std::vector<ReceiverInfo> receivers);

  // The messages for the events of ONE close() of the book (two closes in one call would make ids
  // depend on timing). Ordered by receiver, type and group.
  std::vector<Outgoing> messages(const std::vector<AlertEvent>& events) const;

  bool matches(const std::string& receiver, const Alert& alert, const Scope& scope) const;

  // What fires, for the receivers that `before` did not tell of it: else they would first hear that it is
  // over. Only for those that take messages; who takes state is told it anyway, and nobody is asked to
  // train for what began before.
  std::vector<Outgoing> introduce(const std::vector<ActiveAlert>& firing, const Router& before) const;

  bool knows(const std::string& receiver) const;
  Takes takes_of(const std::string& receiver) const;  // of one that it does not know: kMessages
  std::vector<std::string> receivers() const;

 private:
  std::string group_key(const Alert& alert, Takes takes) const;
  std::string message_type(const ReceiverInfo& receiver, const AlertEvent& event) const;

  std::vector<Route> routes_;
  std::vector<std::string> group_by_;
  std::vector<ReceiverInfo> receivers_;
};

}  // namespace driftd::alerts
