/// What stands for a call in a pickle, as data.
extension Unpickler {
  private static let storageTypes: [String: ElementType] = [
    "DoubleStorage": .f64, "FloatStorage": .f32, "HalfStorage": .f16, "BFloat16Storage": .bf16,
    "LongStorage": .i64, "IntStorage": .i32, "ShortStorage": .i16, "CharStorage": .i8, "ByteStorage": .u8,
    "BoolStorage": .bool,
  ]
  private static let numberTypes: [String: ElementType] = [
    "float64": .f64, "float32": .f32, "float16": .f16, "bfloat16": .bf16, "int64": .i64, "int32": .i32,
    "int16": .i16, "int8": .i8, "uint64": .u64, "uint32": .u32, "uint16": .u16, "uint8": .u8, "bool": .bool,
  ]
  private static let parameterTypes: Set<String> = [
    "torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer",
  ]
  /// No checkpoint has a use for these: such a file is an attack on whoever loads it with Python.
  private static let harmful: Set<String> = [
    "builtins.eval", "builtins.exec", "builtins.compile", "builtins.__import__", "builtins.open",
    "builtins.execfile",
  ]
  private static let harmfulModules: Set<String> = [
    "os", "posix", "nt", "sys", "subprocess", "shutil", "socket", "runpy", "importlib", "pty", "commands",
    "ctypes",
  ]

  /// - Throws: ``CheckpointError/forbidden(path:what:)`` for names that only an attack has a use for.
  func global(_ module: String, _ name: String) throws(CheckpointError) -> PickleValue {
    let full = "\(module == "__builtin__" ? "builtins" : module).\(name)"
    let package = module.prefix { $0 != "." }
    guard !Self.harmful.contains(full), !Self.harmfulModules.contains(String(package)) else {
      throw .forbidden(path: path, what: full)
    }
    return .global(full)
  }

  /// What `function(*arguments)` would be: a tensor, a dictionary, or an object of which only the type is known.
  mutating func made(by function: PickleValue, _ arguments: PickleValue) throws(CheckpointError)
    -> PickleValue
  {
    guard case .global(var name) = function, case .list(var list) = arguments else {
      return try object("an object")
    }
    // A tensor of a class of its own is a call with the call that makes the tensor; deeper than this nobody nests it.
    for _ in 0..<3 {
      guard name == "torch._tensor._rebuild_from_type_v2", list.values.count >= 3,
        case .global(let inner) = list.values[0], case .global(let type) = list.values[1],
        Self.parameterTypes.contains(type), case .list(let rest) = list.values[2]
      else { break }
      (name, list) = (inner, rest)
    }
    let values = list.values
    switch name {
    case "collections.OrderedDict": return try dictionary(values)
    case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3":
      return try tensor(values, isUntyped: name.hasSuffix("v3"))
    case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state",
      "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer":
      guard case .tensor? = values.first else { return try object(name) }
      return values[0]
    case "torch._utils._rebuild_device_tensor_from_cpu_tensor":
      // (tensor, dtype, device, requires_grad): the numbers as they lie here, if that is their type on the device.
      guard values.count > 1, case .tensor(let tensor) = values[0], case .global(let type) = values[1],
        type == "torch.\(tensor.storage.name)"
      else { return try object(name) }
      return values[0]
    case "copyreg._reconstructor", "copy_reg._reconstructor", "copyreg.__newobj__",
      _ where name.hasSuffix(".multiarray._reconstruct"):
      guard case .global(let type)? = values.first else { return try object(name) }
      return try object(type)
    default: return try object(name)
    }
  }

  /// An ordered dictionary from nothing or from a list of pairs.
  private mutating func dictionary(_ arguments: [PickleValue]) throws(CheckpointError) -> PickleValue {
    var values: [PickleValue] = []
    if case .list(let pairs)? = arguments.first {
      for pair in pairs.values {
        guard case .list(let pair) = pair, pair.values.count == 2 else {
          throw damaged("an ordered dictionary is not made of pairs")
        }
        values += pair.values
      }
    }
    return .dictionary(try container(values))
  }

  /// `('storage', type, key, location, count)`.
  func storage(_ value: PickleValue) throws(CheckpointError) -> PickleValue {
    guard case .list(let list) = value, list.values.count >= 5, case .text("storage") = list.values[0],
      case .global(let name) = list.values[1], case .text(let key) = list.values[2],
      case .integer(let count) = list.values[4], count >= 0
    else { throw damaged("a storage reference is not valid") }
    let short = String(name.split(separator: ".").last ?? "")
    if short == "UntypedStorage" {
      return .storage(PickleStorage(type: .u8, name: "uint8", key: key, count: count))
    }
    let type = name.hasPrefix("torch.") ? Self.storageTypes[short] : nil
    let typeName = Self.numberTypes.first { $0.value == type }?.key ?? name
    return .storage(PickleStorage(type: type, name: typeName, key: key, count: count))
  }

  /// `(storage, offset, shape, strides, requires_grad, hooks, metadata)`, with a dtype before the metadata where the storage is untyped.
  private mutating func tensor(_ arguments: [PickleValue], isUntyped: Bool) throws(CheckpointError)
    -> PickleValue
  {
    guard arguments.count >= (isUntyped ? 7 : 4), case .storage(var storage) = arguments[0],
      case .integer(let offset) = arguments[1], offset >= 0
    else { throw damaged("a tensor is not valid") }
    let (shape, strides) = (try sizes(arguments[2]), try sizes(arguments[3]))
    guard shape.count == strides.count else { throw damaged("a tensor's strides do not fit its shape") }
    // The numbers of a tensor with such a mark are not what lies in the storage but its conjugate or negative.
    if case .dictionary(let marks)? = arguments.dropFirst(isUntyped ? 7 : 6).first, !marks.values.isEmpty {
      return try object("a conjugate or negative view of a tensor")
    }
    if isUntyped {
      guard case .global(let dtype) = arguments[6] else { throw damaged("a tensor's dtype is not valid") }
      storage.name = String(dtype.dropFirst("torch.".count))
      storage.type = Self.numberTypes[storage.name]
      storage.count /= storage.type?.size ?? 1
    }
    if storage.type != nil { try checkReach(offset, shape, strides, storage.count) }
    return .tensor(PickleTensor(storage: storage, offset: offset, shape: shape, strides: strides))
  }

  private func sizes(_ value: PickleValue) throws(CheckpointError) -> [Int] {
    guard case .list(let list) = value, list.values.count <= 16 else {
      throw damaged("a tensor's shape is not valid")
    }
    var result: [Int] = []
    for value in list.values {
      guard case .integer(let size) = value, size >= 0 else {
        throw damaged("a tensor's shape is not valid")
      }
      result.append(size)
    }
    return result
  }

  /// Whether the last element lies inside the storage.
  private func checkReach(_ offset: Int, _ shape: [Int], _ strides: [Int], _ count: Int)
    throws(CheckpointError)
  {
    var (last, isEmpty) = (offset, false)
    for (size, stride) in zip(shape, strides) {
      if size == 0 { isEmpty = true }
      let (span, overflow) = max(0, size - 1).multipliedReportingOverflow(by: stride)
      let (sum, more) = last.addingReportingOverflow(span)
      guard !overflow, !more else { throw damaged("a tensor's strides overflow") }
      last = sum
    }
    guard isEmpty ? offset <= count : last < count else {
      throw damaged("a tensor reaches beyond its storage")
    }
  }
}
