import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// What can be recorded of the particles of a layer, by the name that it has in files.
public enum RecordedQuantity: String, Sendable, Hashable, CaseIterable, Codable {
  case x, rotated, y, a, v, z, gains
  case driveX = "drive_x"
  case excitationX = "excitation_x"
  case inhibitionX = "inhibition_x"
  case driveY = "drive_y"
  case excitationY = "excitation_y"
  case inhibitionY = "inhibition_y"

  /// Reads a name; x̃ is `rotated` where only ASCII goes. - Throws: ``ActivityError/unknownQuantity(_:known:)``.
  public init(name: String) throws(ActivityError) {
    guard let found = Self(rawValue: name == "x̃" ? "rotated" : name) else {
      throw .unknownQuantity(name, known: Self.allCases.map(\.rawValue))
    }
    self = found
  }

  public var quantity: Quantity {
    switch self {
    case .x: .x
    case .rotated: .rotated
    case .y: .y
    case .a: .a
    case .v: .v
    case .z: .z
    case .gains: .gains
    case .driveX, .excitationX, .inhibitionX: .driveX
    case .driveY, .excitationY, .inhibitionY: .driveY
    }
  }

  public var channel: Channel {
    switch self {
    case .excitationX, .excitationY: .excitation
    case .inhibitionX, .inhibitionY: .inhibition
    default: .net
    }
  }

  /// When it is looked at: where possible at the end of the layer, so that rounds stay fused.
  var part: RoundPart {
    switch quantity {
    case .driveX: .communication(.drive)
    case .driveY: .communication(.gate)
    default: .end(.gate)
    }
  }

  /// x and y are zero for most neurons: only who fired is recorded, with how much.
  public var isSparse: Bool { self == .x || self == .y }

  public var meaning: String {
    switch self {
    case .x: "activation x of neurons that fired"
    case .rotated: "rotated activation of neurons"
    case .y: "gated activation y of neurons that fired"
    case .a: "attention read by the hubs, row by row of heads, before its LayerNorm"
    case .v: "field of the hubs after the layer"
    case .z: "trace of the nodes after the layer"
    case .gains: "answers of the normalisers"
    case .driveX: "what reaches a neuron before x"
    case .excitationX: "excitation that reaches a neuron before x"
    case .inhibitionX: "inhibition that reaches a neuron before x"
    case .driveY: "what reaches a neuron before y"
    case .excitationY: "excitation that reaches a neuron before y"
    case .inhibitionY: "inhibition that reaches a neuron before y"
    }
  }
}

/// What can be recorded of a plastic synapse.
public enum SynapseQuantity: String, Sendable, Hashable, CaseIterable, Codable {
  /// Its weight after the token, damping included.
  case sigma
  /// What the token wrote: presynaptic times postsynaptic, before damping.
  case written
  /// The presynaptic activity at the write: v of a hub, z of a node.
  case presynaptic
  /// The postsynaptic x̃ at the write.
  case postsynaptic

  public var meaning: String {
    switch self {
    case .sigma: "plastic weight after the token"
    case .written: "what the token wrote on the synapse"
    case .presynaptic: "presynaptic activity at the write"
    case .postsynaptic: "rotated postsynaptic activity at the write"
    }
  }
}
