#include "alerts/alert_book.h"

#include <gtest/gtest.h>

#include <set>

#include "core/segment_id.h"
#include "samples.h"

namespace driftd::alerts {
namespace {

struct Case {
  const char* name;
  unsigned for_windows;
  // One letter a window: b bad, g good, n no verdict of the failing check, w warning, r failing
  // record, s the segment is silent while another one is judged.
  const char* windows;
  // One letter a window: F fires, R resolves, . nothing.
  const char* events;
};

Finding finding_for(char letter, int n) {
  Finding f = failing(n);
  if (letter == 'n') f.verdict = Verdict::kNoVerdict;
  if (letter == 'w') f.verdict = Verdict::kWarn;
  if (letter == 'r') f.record_time = f.window_start + kSecond;
  return f;
}

// Of failing()'s segment, and of one that nothing is about.
const std::vector<std::uint64_t> kJudged = {segment_id({"stream", ""}), segment_id({"site", "a"})};
const std::vector<std::uint64_t> kSilent = {segment_id({"stream", ""}), segment_id({"site", "b"})};

char letter_of(const std::vector<AlertEvent>& events) {
  if (events.empty()) return '.';
  EXPECT_EQ(events.size(), 1U);
  switch (events.front().type) {
    case AlertEvent::Type::kFiring:
      return 'F';
    case AlertEvent::Type::kUpdated:
      return 'U';
    case AlertEvent::Type::kResolved:
      return 'R';
  }
  return '?';
}

// Plays windows into the book from number `first` and returns what happened.
std::string play(AlertBook& book, const std::string& windows, int first = 1) {
  std::string happened;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const int n = first + static_cast<int>(i);
    if (windows[i] != 'g' && windows[i] != 's') book.take(finding_for(windows[i], n));
    std::vector<AlertEvent> events;
    book.close("pumps", window_end(n), windows[i] == 's' ? kSilent : kJudged, events);
    happened += letter_of(events);
  }
  return happened;
}

class AlertBookStates : public testing::TestWithParam<Case> {};

TEST_P(AlertBookStates, Follow) {
  AlertBook book(AlertRules{.for_windows = GetParam().for_windows});
  EXPECT_EQ(play(book, GetParam().windows), GetParam().events);
}

// A restart between any two windows changes nothing.
TEST_P(AlertBookStates, SurviveRestartAnywhere) {
  const std::string windows = GetParam().windows;
  for (std::size_t cut = 0; cut <= windows.size(); ++cut) {
    AlertBook first(AlertRules{.for_windows = GetParam().for_windows});
    std::string happened = play(first, windows.substr(0, cut));
    ByteWriter out;
    first.save(out);
    AlertBook second(AlertRules{.for_windows = GetParam().for_windows});
    ByteReader in(out.bytes());
    ASSERT_TRUE(second.load(in).ok());
    ASSERT_TRUE(in.done("book").ok());
    happened += play(second, windows.substr(cut), static_cast<int>(cut) + 1);
    EXPECT_EQ(happened, GetParam().events) << "cut at " << cut;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, AlertBookStates,
    testing::Values(Case{"for_one", 1, "bgbg", "FRFR"}, Case{"for_two", 2, "bbgg", ".F.R"},
                    Case{"one_bad_is_not_enough", 2, "bgbgb", "....."}, Case{"one_good_is_not_enough", 2, "bbgbgg", ".F...R"},
                    Case{"for_three", 3, "bbbggg", "..F..R"}, Case{"no_verdict_keeps_the_streak", 2, "bnnb", "...F"},
                    Case{"no_verdict_is_not_good", 2, "bbngng", ".F...R"}, Case{"no_verdict_alone_is_nothing", 1, "nnn", "..."},
                    Case{"warnings_are_good", 1, "wbw", ".FR"}, Case{"record_fires_at_once", 3, "rggg", "F..R"},
                    Case{"fires_again", 2, "bbggbb", ".F.R.F"}, Case{"silence_is_not_good", 1, "bssg", "F..R"},
                    Case{"silence_keeps_the_good_streak", 2, "bbgsg", ".F..R"}, Case{"silence_keeps_the_bad_streak", 2, "bsbs", "..F."},
                    Case{"silence_alone_is_nothing", 1, "sss", "..."}, Case{"silence_after_no_verdict", 1, "bnsg", "F..R"},
                    Case{"a_silent_record_alert_holds", 1, "rssg", "F..R"}, Case{"all_well", 2, "gggg", "...."}),
    [](const auto& one) { return one.param.name; });

std::vector<AlertEvent> window(AlertBook& book, int n, const std::vector<Finding>& findings) {
  for (const Finding& f : findings) book.take(f);
  std::vector<AlertEvent> events;
  book.close("pumps", window_end(n), kJudged, events);
  return events;
}

// Windows that close without the segment of failing().
std::vector<AlertEvent> silent_window(AlertBook& book, int n) {
  std::vector<AlertEvent> events;
  book.close("pumps", window_end(n), kSilent, events);
  return events;
}

TEST(AlertBook, SaysNumbersInAsManyDigitsAsPeopleNeed) {
  const auto said = [](double value, double threshold) {
    Finding f = failing(1);
    f.value = value;
    f.threshold = threshold;
    AlertBook book(AlertRules{.for_windows = 1});
    const std::string text = window(book, 1, {f}).at(0).alert.summary;
    const std::size_t at = text.find(": ", text.find('(')) + 2;
    return text.substr(at, text.find(')') - at);
  };
  EXPECT_EQ(said(0.10333333333333333, 0), "0.1033 > 0");
  EXPECT_EQ(said(0.2000001, 0.2), "0.2000001 > 0.2") << "not 0.2 > 0.2";
  EXPECT_EQ(said(0.2, 0.2), "0.2 = 0.2");
  EXPECT_EQ(said(1234567, -1e-9), "1.235e+06 > -1e-09");
}

TEST(AlertBook, SaysWhatWhenAndWhere) {
  AlertBook book(AlertRules{});
  window(book, 1, {failing(1)});
  EXPECT_EQ(book.alerts().at(0).state, AlertState::kPending);
  EXPECT_TRUE(book.firing().empty());
  const auto fired = window(book, 2, {failing(2), failing(2, "max", Severity::kCritical)});
  ASSERT_EQ(fired.size(), 1U);
  const Alert& a = fired[0].alert;
  EXPECT_EQ(a.summary,
            "pumps site=a: max of temperature fails (share_above_max: 0.12 > 0.01) and 1 more check, "
            "2 windows");
  EXPECT_EQ(a.severity, Severity::kCritical);
  EXPECT_EQ(a.starts_at, window_end(0));
  EXPECT_EQ(a.last_seen, window_end(2));
  EXPECT_EQ(a.findings, (std::vector<std::string>{failing(1).id, failing(2).id, failing(2, "max").id}));
  EXPECT_EQ(fired[0].finding_lines.size(), 2U);
  EXPECT_EQ(a.fingerprint.size(), 16U);
  EXPECT_EQ(book.firing().size(), 1U);

  window(book, 3, {});
  const auto resolved = window(book, 4, {});
  ASSERT_EQ(resolved.size(), 1U);
  EXPECT_EQ(resolved[0].alert.state, AlertState::kResolved);
  EXPECT_EQ(resolved[0].alert.ends_at, window_end(4));
  EXPECT_EQ(resolved[0].alert.starts_at, window_end(0));
  EXPECT_EQ(resolved[0].alert.fingerprint, a.fingerprint);
  EXPECT_EQ(resolved[0].alert.summary, "pumps site=a: quality is well again after 2 bad windows");
  EXPECT_TRUE(book.alerts().empty());
}

TEST(AlertBook, UpdatesOnlyWhenChecksOrSeverityGrow) {
  AlertBook book(AlertRules{.for_windows = 1});
  EXPECT_EQ(letter_of(window(book, 1, {failing(1)})), 'F');
  EXPECT_EQ(letter_of(window(book, 2, {failing(2)})), '.');
  const auto joined = window(book, 3, {failing(3, "max")});
  ASSERT_EQ(letter_of(joined), 'U');
  EXPECT_EQ(joined[0].told.checks.size(), 1U);
  EXPECT_EQ(joined[0].scope.checks.size(), 2U);
  EXPECT_EQ(letter_of(window(book, 4, {failing(4)})), '.') << "a known check comes back";
  const auto worse = window(book, 5, {failing(5, "max", Severity::kCritical)});
  ASSERT_EQ(letter_of(worse), 'U');
  EXPECT_EQ(worse[0].told.severities, 0b010);
  EXPECT_EQ(worse[0].scope.severities, 0b110);
  EXPECT_EQ(letter_of(window(book, 6, {failing(6)})), '.') << "severity does not fall";
}

TEST(AlertBook, NoVerdictOfAnotherCheckDoesNotHoldAnAlert) {
  AlertBook book(AlertRules{.for_windows = 1});
  window(book, 1, {failing(1)});
  Finding other = failing(2, "distance");
  other.verdict = Verdict::kNoVerdict;
  EXPECT_EQ(letter_of(window(book, 2, {other})), 'R');
}

TEST(AlertBook, KeysByCheckAndFieldWhenAsked) {
  for (const bool split : {false, true}) {
    AlertBook book(AlertRules{.for_windows = 1, .by_check = split, .by_field = split});
    Finding other = failing(1, "max");
    Finding third = failing(1);
    third.field = "vibration";
    const auto events = window(book, 1, {failing(1), other, third});
    ASSERT_EQ(events.size(), split ? 3U : 1U);
    EXPECT_EQ(events[0].alert.check, split ? "in_range" : "");
    std::set<std::string> fingerprints;
    for (const AlertEvent& e : events) fingerprints.insert(e.alert.fingerprint);
    EXPECT_EQ(fingerprints.size(), events.size());
  }
}

TEST(AlertBook, KindsAndStreamsAreApart) {
  AlertBook book(AlertRules{.for_windows = 1});
  Finding drift = failing(1, "distance");
  drift.kind = FindingKind::kDrift;
  Finding other = failing(1);
  other.stream = "fans";
  EXPECT_EQ(window(book, 1, {failing(1), drift, other}).size(), 2U);
  std::vector<AlertEvent> events;
  book.close("fans", window_end(1), kJudged, events);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].alert.stream, "fans");
}

TEST(AlertBook, OverTheCapOneAlertTellsOfTheRest) {
  AlertBook book(AlertRules{.for_windows = 1, .max_alerts = 3});
  std::vector<Finding> findings;
  for (int i = 0; i < 10; ++i) {
    Finding f = failing(1);
    f.segment.value = std::string(1, static_cast<char>('a' + i));
    findings.push_back(f);
  }
  const auto events = window(book, 1, findings);
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[0].alert.segment.by, "overflow");
  EXPECT_EQ(events[0].alert.findings.size(), 7U);
  EXPECT_NE(events[0].alert.summary.find("more than 3 alerts"), std::string::npos);
  EXPECT_EQ(book.alerts().size(), 4U);
  std::vector<std::uint64_t> all;
  for (const Finding& f : findings) all.push_back(segment_id(f.segment));
  std::vector<AlertEvent> resolved;
  book.close("pumps", window_end(2), all, resolved);
  EXPECT_EQ(resolved.size(), 4U) << "all resolve";
}

TEST(AlertBook, KeepsTheNewestTwentyFindings) {
  AlertBook book(AlertRules{.for_windows = 1});
  for (int n = 1; n <= 30; ++n) window(book, n, {failing(n)});
  const Alert a = book.alerts().at(0);
  ASSERT_EQ(a.findings.size(), 20U);
  EXPECT_EQ(a.findings.back(), failing(30).id);
  EXPECT_EQ(a.findings.front(), failing(11).id);
}

TEST(AlertBook, ForgettingAStreamResolvesWhatFires) {
  AlertBook book(AlertRules{.for_windows = 1});
  window(book, 1, {failing(1)});
  std::vector<AlertEvent> events;
  book.forget("pumps", events);
  ASSERT_EQ(letter_of(events), 'R');
  EXPECT_EQ(events[0].alert.ends_at, window_end(1));
  EXPECT_EQ(events[0].alert.summary, "pumps site=a: quality ends unknown, the stream is no longer configured, after 1 bad window");
  EXPECT_TRUE(book.alerts().empty());
  EXPECT_TRUE(book.streams().empty());
}

TEST(AlertBook, ASegmentThatIsSilentForADayEndsItsAlertAndSaysSo) {
  const int a_day = static_cast<int>(AlertBook::kSilence / kWindow);
  AlertBook book(AlertRules{.for_windows = 1});
  window(book, 1, {failing(1)});
  Finding drift = failing(2);
  drift.kind = FindingKind::kDrift;
  AlertBook pending(AlertRules{.for_windows = 2});
  window(pending, 1, {failing(1)});
  for (int n = 2; n <= a_day; ++n) {
    ASSERT_EQ(letter_of(silent_window(book, n)), '.') << n;
    ASSERT_EQ(letter_of(silent_window(pending, n)), '.') << n;
  }
  EXPECT_EQ(book.firing().size(), 1U) << "one window before the day is over";
  EXPECT_EQ(pending.alerts().size(), 1U);
  const auto ended = silent_window(book, a_day + 1);
  ASSERT_EQ(letter_of(ended), 'R');
  EXPECT_EQ(ended[0].alert.summary, "pumps site=a: quality ends unknown, nothing was heard for 1d, after 1 bad window");
  EXPECT_EQ(letter_of(silent_window(pending, a_day + 1)), '.') << "it never fired";
  EXPECT_TRUE(book.alerts().empty());
  EXPECT_TRUE(pending.alerts().empty());
}

TEST(AlertBook, HearingOfTheSegmentStartsTheDayAnew) {
  const int a_day = static_cast<int>(AlertBook::kSilence / kWindow);
  AlertBook book(AlertRules{.for_windows = 2});
  window(book, 1, {failing(1)});
  window(book, 2, {failing(2)});
  window(book, a_day, {});  // one good window, not two
  EXPECT_EQ(letter_of(silent_window(book, 2 * a_day - 1)), '.');
  EXPECT_EQ(letter_of(silent_window(book, 2 * a_day)), 'R');
}

// A detector's alarm in a stream that does not judge sensors: windows of the stream are all there is.
TEST(AlertBook, RecordsOfASensorWithoutWindowsResolveWithTheStreamsWindows) {
  for (const bool by_sensor : {false, true}) {
    AlertBook book(AlertRules{.for_windows = 1});
    std::vector<AlertEvent> events;
    book.configure(
        "pumps",
        {by_sensor ? std::vector<std::string>{"stream", "sensor"} : std::vector<std::string>{"stream"}, {{"in_range", "temperature"}}},
        events);
    Finding record = finding_for('r', 1);
    record.segment = {"sensor", "s1"};
    EXPECT_EQ(letter_of(window(book, 1, {record})), 'F');
    EXPECT_EQ(letter_of(window(book, 2, {})), by_sensor ? '.' : 'R');
  }
}

TEST(AlertBook, ConfiguringEndsWhatIsNotJudgedAnyMore) {
  const auto ends = [](const Judged& judged) {
    AlertBook book(AlertRules{.for_windows = 1});
    window(book, 1, {failing(1), failing(1, "max")});
    std::vector<AlertEvent> events;
    book.configure("pumps", judged, events);
    if (!events.empty()) {
      EXPECT_EQ(events[0].alert.ends_at, window_end(1));
      EXPECT_NE(events[0].alert.summary.find("its checks are no longer configured"), std::string::npos);
    }
    EXPECT_EQ(book.firing().size(), events.empty() ? 1U : 0U);
    return letter_of(events);
  };
  EXPECT_EQ(ends({{"stream", "site"}, {{"in_range", "temperature"}, {"max", "temperature"}}}), '.');
  EXPECT_EQ(ends({{"stream", "site"}, {{"max", "temperature"}}}), '.') << "one is left";
  EXPECT_EQ(ends({{"stream", "site"}, {{"max", "vibration"}}}), 'R') << "another field";
  EXPECT_EQ(ends({{"stream"}, {{"in_range", "temperature"}}}), 'R') << "another level";
}

TEST(AlertBook, OtherRulesHoldFromTheNextWindowOn) {
  AlertBook book(AlertRules{.for_windows = 5});
  std::vector<AlertEvent> events;
  EXPECT_EQ(play(book, "bb"), "..");
  book.set_rules(AlertRules{.for_windows = 3}, events);
  EXPECT_TRUE(events.empty());
  EXPECT_EQ(play(book, "b", 3), "F") << "the windows of before count";
  book.set_rules(AlertRules{.for_windows = 1}, events);
  EXPECT_TRUE(events.empty());
  EXPECT_EQ(play(book, "g", 4), "R");
}

TEST(AlertBook, AnotherGroupingEndsWhatWouldHaveAnotherKey) {
  AlertBook book(AlertRules{.for_windows = 1});
  window(book, 1, {failing(1)});
  std::vector<AlertEvent> events;
  book.set_rules(AlertRules{.for_windows = 1, .by_check = true}, events);
  ASSERT_EQ(letter_of(events), 'R');
  EXPECT_NE(events[0].alert.summary.find("grouped in another way"), std::string::npos);
  EXPECT_EQ(letter_of(window(book, 2, {failing(2)})), 'F') << "under its new name";
  events.clear();
  book.set_rules(AlertRules{.for_windows = 2, .by_check = true}, events);
  EXPECT_TRUE(events.empty()) << "the same key";
}

TEST(AlertBook, TakesTheSeriesOfAStreamOut) {
  AlertBook book(AlertRules{});
  Telemetry telemetry;
  window(book, 1, {failing(1)});
  book.publish(telemetry);
  const auto exported = [&] {
    std::size_t n = 0;
    for (const Telemetry::Family& family : telemetry.snapshot()) n += family.metric == Metric::kAlerts ? family.samples.size() : 0;
    return n;
  };
  EXPECT_EQ(exported(), 6U);
  AlertBook::unpublish(telemetry, "pumps");
  EXPECT_EQ(exported(), 0U);
}

TEST(AlertBook, PublishesCountsAndZeros) {
  AlertBook book(AlertRules{});
  Telemetry telemetry;
  window(book, 1, {failing(1)});
  book.publish(telemetry);
  const auto value = [&](const char* severity, const char* state) {
    return telemetry.series(Metric::kAlerts, {"pumps", severity, state}).value();
  };
  EXPECT_EQ(value("warning", "pending"), 1);
  window(book, 2, {failing(2)});
  book.publish(telemetry);
  EXPECT_EQ(value("warning", "pending"), 0);
  EXPECT_EQ(value("warning", "firing"), 1);
  EXPECT_EQ(value("critical", "firing"), 0);
}

std::string saved_with_open_window() {
  AlertBook book(AlertRules{.for_windows = 1});
  window(book, 1, {failing(1), failing(1, "max", Severity::kCritical)});
  book.take(failing(2));
  ByteWriter out;
  book.save(out);
  return out.take();
}

TEST(AlertBook, SavesAWindowThatIsStillOpen) {
  const std::string bytes = saved_with_open_window();
  AlertBook book(AlertRules{.for_windows = 1});
  ByteReader in(bytes);
  ASSERT_TRUE(book.load(in).ok());
  window(book, 2, {});
  EXPECT_EQ(book.alerts().at(0).last_seen, window_end(2)) << "the finding before the save counts";
  AlertBook again(AlertRules{.for_windows = 1});
  ByteReader in2(bytes);
  ASSERT_TRUE(again.load(in2).ok());
  ByteWriter out;
  again.save(out);
  EXPECT_EQ(out.bytes(), bytes);
}

// Between any two windows the stream goes to another driftd's book, which has a stream of its own.
TEST_P(AlertBookStates, MoveToAnotherBookAnywhere) {
  const std::string windows = GetParam().windows;
  for (std::size_t cut = 0; cut <= windows.size(); ++cut) {
    AlertBook first(AlertRules{.for_windows = GetParam().for_windows}), second(AlertRules{.for_windows = GetParam().for_windows});
    Finding other = failing(1);
    other.stream = "fans";
    second.take(other);
    play(second, "bb");  // of before, when it had the stream: must be gone
    std::string happened = play(first, windows.substr(0, cut));
    ByteWriter out;
    first.save_stream("pumps", out);
    first.drop("pumps");
    EXPECT_TRUE(first.alerts().empty());
    ByteReader in(out.bytes());
    ASSERT_TRUE(second.load_stream("pumps", in).ok());
    ASSERT_TRUE(in.done("stream").ok());
    happened += play(second, windows.substr(cut), static_cast<int>(cut) + 1);
    EXPECT_EQ(happened, GetParam().events) << "cut at " << cut;
    EXPECT_EQ(second.streams(), (std::vector<std::string>{"fans", "pumps"}));
  }
}

TEST(AlertBook, RefusesADamagedStream) {
  AlertBook from(AlertRules{.for_windows = 1});
  play(from, "b");
  ByteWriter out;
  from.save_stream("pumps", out);
  for (std::size_t size = 0; size < out.size(); ++size) {
    AlertBook book(AlertRules{.for_windows = 1});
    play(book, "b");
    ByteReader in(std::string_view(out.bytes()).substr(0, size));
    EXPECT_FALSE(book.load_stream("pumps", in).ok()) << size;
    EXPECT_TRUE(book.alerts().empty());
  }
}

TEST(AlertBook, RefusesDamagedState) {
  const std::string bytes = saved_with_open_window();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    AlertBook book(AlertRules{});
    ByteReader in(std::string_view(bytes).substr(0, size));
    EXPECT_FALSE(book.load(in).ok()) << size;
    EXPECT_TRUE(book.alerts().empty());
  }
  for (std::size_t at = 0; at < bytes.size(); ++at) {  // never crashes, whatever it makes of it
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 0xff);
    AlertBook book(AlertRules{});
    ByteReader in(flipped);
    if (!book.load(in).ok()) {
      EXPECT_TRUE(book.alerts().empty());
    }
    std::vector<AlertEvent> events;
    book.close("pumps", window_end(3), kJudged, events);
  }
}

}  // namespace
}  // namespace driftd::alerts
