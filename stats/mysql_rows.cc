#include "stats/mysql_rows.h"

#include <mysql.h>

#include <memory>
#include <vector>

#include "core/text.h"

namespace driftd::stats {
namespace {

enum class Form { kNumber, kBits, kTime, kText };

Form form_of(enum_field_types type) {
  switch (type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_FLOAT:
    case MYSQL_TYPE_DOUBLE:
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
    case MYSQL_TYPE_YEAR:
      return Form::kNumber;
    case MYSQL_TYPE_BIT:
      return Form::kBits;
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP:
      return Form::kTime;
    default:
      return Form::kText;
  }
}

void append_value(std::string& out, Form form, const char* text, std::size_t size) {
  const std::string_view value(text, size);
  if (form == Form::kNumber && !value.empty()) {
    // ZEROFILL columns come with zeros in front, which JSON does not allow.
    std::string_view digits = value;
    if (digits.front() == '-') {
      out += '-';
      digits.remove_prefix(1);
    }
    while (digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9') digits.remove_prefix(1);
    out += digits;
  } else if (form == Form::kBits) {
    // Up to 64 bits as bytes, the greatest first.
    std::uint64_t bits = 0;
    for (const char c : value) bits = bits << 8 | static_cast<unsigned char>(c);
    out += std::to_string(bits);
  } else if (form == Form::kTime && value.size() >= 19) {
    std::string time(value);
    time[10] = 'T';
    append_json_string(out, time + "Z");
  } else {
    append_json_string(out, value);
  }
}

}  // namespace

Result<std::uint64_t> read_mysql_rows(const MysqlConnection& c, const std::string& query,
                                      const std::function<Status(std::string_view json)>& row) {
  const auto session = MysqlSession::connect(c);
  if (!session) return session.error();
  MYSQL* mysql = session->handle();
  if (mysql_query(mysql, "START TRANSACTION READ ONLY") != 0) return session->failed("START TRANSACTION READ ONLY");
  const std::string what = "query '" + excerpt(query, 200) + "'";
  if (mysql_real_query(mysql, query.data(), query.size()) != 0) return session->failed(what);
  const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(mysql_use_result(mysql), mysql_free_result);
  if (result == nullptr) return Error{ErrorCode::kInvalidArgument, what + " gives no rows; it must be a SELECT"};
  const unsigned columns = mysql_num_fields(result.get());
  const MYSQL_FIELD* fields = mysql_fetch_fields(result.get());
  std::vector<std::string> keys;
  std::vector<Form> forms;
  for (unsigned i = 0; i < columns; ++i) {
    std::string key = i == 0 ? "{" : ",";
    append_json_string(key, fields[i].name);
    keys.push_back(key + ":");
    forms.push_back(form_of(fields[i].type));
  }
  std::uint64_t n = 0;
  std::string json;
  while (const MYSQL_ROW values = mysql_fetch_row(result.get())) {
    const unsigned long* sizes = mysql_fetch_lengths(result.get());
    json.clear();
    for (unsigned i = 0; i < columns; ++i) {
      json += keys[i];
      if (values[i] == nullptr) {
        json += "null";
      } else {
        append_value(json, forms[i], values[i], sizes[i]);
      }
    }
    json += '}';
    if (const Status s = row(json); !s) return s.error();
    ++n;
  }
  if (mysql_errno(mysql) != 0) return session->failed(what + " broke off after " + std::to_string(n) + " rows");
  return n;
}

}  // namespace driftd::stats
