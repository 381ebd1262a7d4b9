"""Real brokers for tests: redis-server and RabbitMQ on loopback, each with a folder of its own.

`redis_server(folder)` and `rabbitmq_server(folder)` give the address of one that runs for a block.
Whoever wants to kill it and start it again takes `RedisServer` or `RabbitServer`.
"""
