"""The network whose tree is the grammar's tree. It knows nothing of learning rules."""
