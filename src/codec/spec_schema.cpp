#include "codec/spec_schema.hpp"

#include <fmt/core.h>

#include "codec/duration_pattern.hpp"
#include "codec/fields.hpp"
#include "codec/json.hpp"
#include "model/spec_fields.hpp"
#include "model/syntax.hpp"
#include "model/validate.hpp"

namespace davit::codec {
namespace {

template <class T>
struct Type {};

Value with(Value schema, Value const& more) {
  for (auto const& member : more.members()) schema.set(member.key, member.value);
  return schema;
}
Value of_type(std::string_view name) { return Value::object({{"type", name}}); }
Value array_of(Value items) { return of_type("array").set("items", std::move(items)); }
Value constant(Value value) { return Value::object({{"const", std::move(value)}}); }
template <class... T>
Value one_of(T... alternatives) {
  return Value::object({{"oneOf", Value::array(std::move(alternatives)...)}});
}

Value text(Value const& refinement = {}) { return with(of_type("string").set("pattern", "^[^\\u0000]*$"), refinement); }

Value with_range(Value schema, Meta const& meta) {
  if (meta.min) schema.set("minimum", *meta.min);
  if (meta.max) schema.set("maximum", *meta.max);
  return schema;
}

// Schemas by type. `path` finds the field's grammar; `use_` says what maps and required fields look like.
class SpecSchema {
 public:
  explicit SpecSchema(SchemaFor use) : use_(use) {}

  template <model::HasFields S>
  Value object(std::string const& path) {
    Value properties = Value::object();
    Value required = Value::array();
    model::for_each_field<S>([&](auto const& each) {
      auto const here = path.empty() ? std::string(each.name) : fmt::format("{}/{}", path, each.name);
      properties.set(each.name, field(each, here));
      if (each.meta.required) required.push(each.name);
    });
    auto schema = of_type("object").set("properties", std::move(properties));
    bool const is_whole = use_ == SchemaFor::Spec || path.ends_with("[]");  // arrays are replaced whole
    if (is_whole && !required.items().empty()) schema.set("required", std::move(required));
    return schema.set("additionalProperties", false);
  }

 private:
  template <class S, class M>
  Value field(model::Field<S, M> const& each, std::string const& path) {
    auto const initial = write_value(default_of<S>().*each.member, Defaults::Omit);
    auto const description = [&](std::string_view doc) { return Value::object({{"description", doc}}); };
    if (!each.meta.unsupported.empty()) {
      auto const doc = fmt::format("Not supported yet: {}.", each.meta.unsupported);
      return with(description(doc), initial.is_null() ? of_type("null") : Value::object({{"enum", Value::array(nullptr, initial)}}));
    }
    auto schema = with(description(each.meta.doc), schema_of(Type<M>(), each.meta, path));
    if (!each.meta.required) schema = or_null(std::move(schema));
    bool const has_default = !each.meta.required && !initial.is_null() && !initial.as_object();
    if (has_default) schema.set("default", initial);
    if (!each.meta.example.empty()) schema.set("examples", Value::array(*parse_json(each.meta.example)));
    return schema;
  }

  static Value or_null(Value schema) {
    auto* const object = schema.as_object();
    if (auto* const words = object->find("enum")) words->push(nullptr);
    else if (auto* const alternatives = object->find("oneOf")) alternatives->push(of_type("null"));
    else if (auto* const type = object->find("type")) *type = Value::array(std::move(*type), "null");
    return schema;
  }

  Value schema_of(Type<bool>, Meta const&, std::string const&) { return of_type("boolean"); }
  Value schema_of(Type<std::int64_t>, Meta const& meta, std::string const&) { return with_range(of_type("integer"), meta); }
  Value schema_of(Type<double>, Meta const& meta, std::string const& path) {
    auto const above_zero = schema_refinement(path);
    if (above_zero.is_null()) return with_range(of_type("number"), meta);
    return one_of(constant(0), with(with_range(of_type("number"), meta), above_zero));
  }
  Value schema_of(Type<std::string>, Meta const&, std::string const& path) { return text(schema_refinement(path)); }
  Value schema_of(Type<Duration>, Meta const& meta, std::string const&) {
    return of_type("string").set("pattern", duration_pattern(meta.min.value(), meta.max.value()));
  }
  Value schema_of(Type<Bytes>, Meta const&, std::string const& path) {
    constexpr std::string_view kSize =
        "^(?:[0-9]{1,15}[bB]?|(?:[0-9]{1,6}(?:\\.[0-9]{1,3})?[kKmMgGtT]|[0-9]{1,3}(?:\\.[0-9]{1,3})?[pP])(?:[iI]?[bB])?)$";
    auto const count = of_type("integer").set("minimum", 0).set("maximum", INT64_MAX);
    auto const words = of_type("string").set("pattern", kSize);
    auto const least = schema_refinement(path);
    if (least.is_null()) return one_of(count, words);
    return one_of(constant(0), with(count, least), with(words, schema_refinement(path + ":text")));
  }
  Value schema_of(Type<std::vector<std::string>>, Meta const&, std::string const& path) {
    auto const item = text(schema_refinement(path + "[]"));
    return one_of(item, path == "tmpfs" ? array_of(item).set("uniqueItems", true) : array_of(item));
  }
  Value schema_of(Type<model::Words>, Meta const&, std::string const&) {
    constexpr std::string_view kBalanced = R"(^(?:[^'"\\\u0000]|\\[^\u0000]|'[^'\u0000]*'|"(?:[^"\\\u0000]|\\[^\u0000])*")*$)";
    return one_of(of_type("string").set("pattern", kBalanced), array_of(text()));
  }
  Value schema_of(Type<model::KeyValues>, Meta const&, std::string const& path) {
    auto values = Value::object({{"type", Value::array("string", "number")}, {"pattern", "^[^\\u0000]*$"}});
    if (use_ == SchemaFor::Patch) values = or_null(one_of(text(), of_type("number")));
    auto const map = of_type("object").set("propertyNames", schema_refinement(path)).set("additionalProperties", std::move(values));
    auto const pair = of_type("string").set(
        "pattern", path == "container_labels" ? "^(?!davit\\.)[^=\\u0000]+=[^\\u0000]*$" : "^[^=\\u0000]+=[^\\u0000]*$");
    return one_of(map, array_of(pair).set("uniqueItems", true));
  }
  Value schema_of(Type<model::HealthTest>, Meta const&, std::string const&) {
    auto const line = text().set("minLength", 1);
    auto const array = [](int least, Value prefix) {
      return array_of(text()).set("prefixItems", std::move(prefix)).set("minItems", least);
    };
    return one_of(line, of_type("array").set("maxItems", 0), array(1, Value::array(constant("NONE"))).set("maxItems", 1),
                  array(2, Value::array(constant("CMD"), line)), array(2, Value::array(constant("CMD-SHELL"), line)).set("maxItems", 2));
  }
  Value schema_of(Type<std::map<std::string, model::Ulimit>>, Meta const&, std::string const& path) {
    Value names = Value::array();
    for (auto const& name : model::ulimit_names()) names.push(name);
    auto limit = one_of(of_type("integer").set("minimum", -1).set("maximum", INT64_MAX), object<model::Ulimit>(path));
    if (use_ == SchemaFor::Patch) limit = or_null(std::move(limit));
    return of_type("object")
        .set("propertyNames", Value::object({{"enum", std::move(names)}}))
        .set("additionalProperties", std::move(limit));
  }
  Value schema_of(Type<std::vector<model::PortSpec>>, Meta const& meta, std::string const& path) {
    auto const item = path + "[]";
    auto const number = with_range(of_type("integer"), {.doc = meta.doc, .min = 1, .max = model::kMaxPort});
    return with(array_of(one_of(number, text(schema_refinement(item)), host_port(item), ingress_port(item, model::Protocol::Tcp),
                                ingress_port(item, model::Protocol::Udp))),
                schema_refinement(path));
  }
  Value schema_of(Type<std::vector<model::Mount>>, Meta const&, std::string const& path) {
    auto const item = path + "[]";
    return with(array_of(one_of(text(schema_refinement(item)), mount(model::MountType::Volume), mount(model::MountType::Bind),
                                mount(model::MountType::Tmpfs))),
                schema_refinement(path));
  }
  template <model::NamedEnum E>
  Value schema_of(Type<E>, Meta const&, std::string const&) {
    Value words = Value::array();
    for (auto const& [value, name] : model::EnumNames<E>::kAll) {
      if (model::is_built(value)) words.push(name);
    }
    return Value::object({{"enum", std::move(words)}});
  }
  template <model::HasFields S>
  Value schema_of(Type<S>, Meta const&, std::string const& path) {
    return object<S>(path);
  }
  template <class T>
  Value schema_of(Type<std::optional<T>>, Meta const& meta, std::string const& path) {
    return schema_of(Type<T>(), meta, path);
  }

  // What a port may have besides depends on its mode, and that on its protocol.
  Value host_port(std::string const& item) {
    auto schema = object<model::PortSpec>(item);
    auto& properties = *schema.as_object()->find("properties");
    properties.set("mode", enumeration("host", nullptr).set("default", "host"));
    properties.set("proxy_protocol", enumeration(false, nullptr));
    return schema.set("dependentRequired", Value::object({{"published_end", Value::array("published")}}));
  }
  Value ingress_port(std::string const& item, model::Protocol protocol) {
    auto schema = object<model::PortSpec>(item);
    auto& properties = *schema.as_object()->find("properties");
    bool const is_tcp = protocol == model::Protocol::Tcp;
    properties.set("mode", enumeration("ingress"));
    properties.set("published", with_range(of_type("integer"), {.doc = "", .min = 1, .max = model::kMaxPort}));
    properties.set("published_end", of_type("null"));
    properties.set("host_ip", enumeration(model::PortSpec().host_ip, nullptr));
    properties.set("protocol", is_tcp ? enumeration("tcp", nullptr) : enumeration("udp"));
    if (!is_tcp) properties.set("proxy_protocol", enumeration(false, nullptr));
    auto required = Value::array("target", "published", "mode");
    if (!is_tcp) required.push("protocol");
    return schema.set("required", std::move(required));
  }
  template <class... T>
  static Value enumeration(T... words) {
    return Value::object({{"enum", Value::array(std::move(words)...)}});
  }

  // What `source` may be depends on the type.
  Value mount(model::MountType type) {
    auto schema = object<model::Mount>("volumes[]");
    auto& properties = *schema.as_object()->find("properties");
    auto const name = model::to_string(type);
    bool const is_default = type == model::MountType::Volume;
    properties.set("type", Value::object({{"enum", is_default ? Value::array(name, nullptr) : Value::array(name)}}));
    auto const grammar = schema_refinement(fmt::format("volumes[]/source:{}", name));
    if (type == model::MountType::Bind) properties.set("source", text(grammar));
    else if (is_default) properties.set("source", or_null(text(grammar)));
    else properties.set("source", Value::object({{"enum", Value::array("", nullptr)}}));
    if (type == model::MountType::Bind) schema.set("required", Value::array("type", "source", "target"));
    if (type == model::MountType::Tmpfs) schema.set("required", Value::array("type", "target"));
    return schema;
  }

  SchemaFor use_;
};

}  // namespace

Value spec_schema(SchemaFor use) { return SpecSchema(use).object<model::ServiceSpec>(""); }

}  // namespace davit::codec
