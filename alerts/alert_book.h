// AlertBook: turns findings into alerts that start once and end once.
//
// An alert is keyed by stream, segment and kind, and by check and field where `group_by` names
// them. A window is bad for a key when at least one of its findings fails; a warning never makes a
// window bad. `for_windows` bad windows in a row make the alert fire, as many good ones in a row
// resolve it. A window is good when the segment was judged in it and nothing failed. A window in
// which a check that was failing gave no verdict, or in which the segment was not judged at all (a
// sensor that is silent), is neither: "cannot judge" is not "all is well". A segment that is not
// judged for kSilence of event time ends its alert, which then says so. A finding about a single
// record (a detector's alarm) fires at the close of its window without waiting for more; where its
// sensor has no windows of its own, every window of the stream without one is good.
//
// Only event time and the findings decide, so the same findings make the same events after a crash,
// in a replay, on any number of workers. Severity and the set of failing checks only grow while an
// alert lasts, so updates are at most as many as there are checks and severities.
//
// Bounds: `max_alerts` a stream (so that one stream never decides what another one may say); what
// fails beyond it makes one alert of segment "overflow" and kind quality for the stream.
// Thread-safety: none. Cost: take() one ordered lookup; close() O((alerts + judged) log alerts)
// of the stream, and nothing while it has no alerts.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "core/alert.h"
#include "core/bytes.h"
#include "core/finding.h"
#include "core/result.h"
#include "core/telemetry.h"

namespace driftd::alerts {

struct AlertRules {
  unsigned for_windows = 2;        // bad windows before firing, good ones before resolving; >= 1
  bool by_check = false;           // a separate alert for each check
  bool by_field = false;           // a separate alert for each field
  std::size_t max_alerts = 10000;  // pending and firing, a stream
};

struct CheckName {
  std::string check;
  std::string field;  // empty when the check is about no field
  bool operator==(const CheckName&) const = default;
};

// What an alert has been about since it started; decides which routes match it.
struct Scope {
  std::uint8_t severities = 0;    // bit 1 << Severity for each severity it had when it was told
  std::vector<CheckName> checks;  // that failed, in order of appearance
};

struct AlertEvent {
  enum class Type { kFiring, kUpdated, kResolved };
  Type type = Type::kFiring;
  Alert alert;
  Time at = kNoTime;                       // event time: end of the window that made the event
  Scope scope;                             // including this event
  Scope told;                              // as it was in the event before; empty when firing
  std::vector<std::string> finding_lines;  // JSON of the window's newest failing findings, capped
};

// A firing alert with what routes need to know about it.
struct ActiveAlert {
  Alert alert;
  Scope scope;
};

// What of a stream is judged, as it is configured now.
struct Judged {
  std::vector<std::string> levels;  // windows.by
  std::vector<CheckName> checks;    // empty field: of no field
};

class AlertBook {
 public:
  static constexpr Duration kSilence = kDay;

  explicit AlertBook(AlertRules rules) : rules_(rules) {}

  // Findings of a stream come ordered by window end, all of a window before its close().
  void take(const Finding& finding);

  // Every finding of the stream's windows up to `window_end` was taken; `judged` are the segments
  // (segment_id) that had a window. Appends what happened, ordered by segment, kind, check and field.
  void close(const std::string& stream, Time window_end, const std::vector<std::uint64_t>& judged, std::vector<AlertEvent>& out);

  // The stream is no longer configured: resolves what fires (as of its newest window) and forgets
  // it.
  void forget(const std::string& stream, std::vector<AlertEvent>& out);
  // Names of the streams that it knows.
  std::vector<std::string> streams() const;
  // End of the newest window of the stream that was closed; kNoTime: none.
  Time closed(const std::string& stream) const;

  // The stream is configured like this from now on: resolves what fires about checks or segments
  // that are not judged any more. Before it every level counts as judged. Not saved.
  void configure(const std::string& stream, Judged judged, std::vector<AlertEvent>& out);
  // Other rules from now on; counts of windows go on. Resolves what would have another key.
  void set_rules(AlertRules rules, std::vector<AlertEvent>& out);

  // Pending and firing alerts, ordered by stream, segment, kind, check and field.
  std::vector<Alert> alerts() const;
  std::vector<ActiveAlert> firing() const;

  // Sets driftd_alerts of every stream known.
  void publish(Telemetry& telemetry) const;
  // Takes the series of a stream out.
  static void unpublish(Telemetry& telemetry, const std::string& stream);

  // One stream's state, for a store in which it goes from one driftd to another. What load_stream() reads takes the
  // place of what the book has of the stream; on an Error it has nothing. drop() forgets it without a word.
  void save_stream(const std::string& stream, ByteWriter& out) const;
  Status load_stream(const std::string& stream, ByteReader& in);
  void drop(const std::string& stream);

  void save(ByteWriter& out) const;
  // Replaces the state. On an error the book is empty.
  Status load(ByteReader& in);

 private:
  // What the findings of the window that is still open say.
  struct OpenWindow {
    bool bad = false;
    bool at_once = false;   // a finding about a single record
    bool unjudged = false;  // a check that was failing gave no verdict
    bool judged = false;    // the segment had a window; within close() only
    Time start = kNoTime;
    Severity severity = Severity::kInfo;
    std::vector<std::string> ids;
    std::vector<std::string> lines;
    std::vector<CheckName> checks;
    std::string lead;  // what fails, in words, of the first of the most severe findings
  };
  struct Entry {
    Alert alert;
    std::uint32_t bad = 0;    // bad windows since it started
    std::uint32_t good = 0;   // good windows in a row while firing
    bool of_records = false;  // findings about single records are among it
    Time heard = kNoTime;     // end of the newest window in which the segment was judged
    std::vector<CheckName> checks;
    std::uint32_t told_checks = 0;  // the first so many of checks were in the newest event
    std::uint8_t told_severities = 0;
    OpenWindow window;
  };
  using Key = std::tuple<Segment, FindingKind, std::string, std::string>;  // ..., check, field
  struct StreamAlerts {
    Time closed = kNoTime;  // end of the newest window
    std::map<Key, Entry> entries;
    std::vector<std::string> levels;  // see configure()
  };

  Key key_of(const Finding& finding) const;
  Entry* entry_for(StreamAlerts& stream, const Finding& finding);
  void on_bad(Entry& entry, Time end, std::vector<AlertEvent>& out) const;
  // True when the entry is over and must be erased.
  bool on_good(Entry& entry, Time end, std::vector<AlertEvent>& out) const;
  static bool on_silence(Entry& entry, Time end, std::vector<AlertEvent>& out);
  static void mark_judged(StreamAlerts& stream, const std::vector<std::uint64_t>& judged);
  // Ends those entries of the stream for which `gone` is true.
  template <class Gone>
  static void end_if(StreamAlerts& stream, const std::string& why, Gone gone, std::vector<AlertEvent>& out);
  std::string summary(const Entry& entry) const;
  static void emit(AlertEvent::Type type, Entry& entry, Time at, std::vector<AlertEvent>& out);
  // `how`: the end of the summary, behind the kind.
  static void resolve(Entry& entry, Time at, const std::string& how, std::vector<AlertEvent>& out);
  static void collect(OpenWindow& window, const Finding& finding);
  static void save_entry(ByteWriter& out, const Entry& entry);
  static Status load_entry(ByteReader& in, const std::string& stream, Entry& entry);
  static void save_alerts(ByteWriter& out, const StreamAlerts& stream);
  static Status load_alerts(ByteReader& in, const std::string& name, StreamAlerts& stream);
  Status load_streams(ByteReader& in);

  AlertRules rules_;
  std::map<std::string, StreamAlerts> streams_;
};

// The stable name of an alert: 16 hex digits of its labels.
std::string fingerprint(const Alert& alert);

}  // namespace driftd::alerts
